//! The server's first packet.

use super::cursor::Cursor;

/// What of it the login needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Twenty random bytes that the password is mixed with.
    pub nonce: Vec<u8>,
    /// Whether the server can do TLS.
    pub offers_tls: bool,
    /// How the server would have its clients log in.
    pub method: String,
}

impl Greeting {
    /// Reads version 10 of the protocol: that of every MySQL since 3.21 and every MariaDB.
    pub fn of(packet: &[u8]) -> Option<Self> {
        let mut fields = Cursor(packet);
        if fields.byte()? != 10 {
            return None;
        }
        let _version = fields.until_zero();
        let _thread = fields.take(4)?;
        let mut nonce = fields.take(8)?.to_vec();
        // A zero, capabilities (2 bytes), character set, status (2), further capabilities (2).
        let known = fields.take(8)?;
        let offers_tls = known[2] & 0x08 != 0;
        let nonce_length = usize::from(fields.byte()?);
        let _reserved = fields.take(10)?;
        let tail = fields.take(nonce_length.saturating_sub(8).max(13))?;
        nonce.extend_from_slice(tail.get(..12)?);
        let method = String::from_utf8_lossy(fields.until_zero()).into_owned();
        Some(Self { nonce, offers_tls, method })
    }
}
