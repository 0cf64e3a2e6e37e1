//! From the server's greeting to its OK.

use std::net::IpAddr;

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use vipward_core::config::Tls;

use super::cursor::Cursor;
use super::greeting::Greeting;
use super::refused;
use super::session::{Refusal, Session, nonsense};
use crate::ProbeFailure;

/// `LONG_PASSWORD`, `PROTOCOL_41`, `TRANSACTIONS`, `SECURE_CONNECTION`, `PLUGIN_AUTH`.
const CAPABILITIES: u32 = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x8_0000;
/// The client will go on in TLS.
const TLS: u32 = 0x800;
const LONGEST_PACKET: u32 = 0xff_ffff;
const UTF8MB4: u8 = 45;

/// The ways to log in without showing the password: the default of MariaDB and of MySQL before 8,
/// and that of MySQL since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Native,
    CachingSha2,
}

impl Method {
    fn named(name: &[u8]) -> Option<Self> {
        [Self::Native, Self::CachingSha2].into_iter().find(|method| method.name() == name)
    }

    fn name(self) -> &'static [u8] {
        match self {
            Self::Native => b"mysql_native_password",
            Self::CachingSha2 => b"caching_sha2_password",
        }
    }

    /// What proves that the password is known; for no password, nothing.
    fn proof(self, password: &str, nonce: &[u8]) -> Vec<u8> {
        if password.is_empty() {
            return Vec::new();
        }
        let hash = |algorithm: &'static Algorithm, bytes: &[u8]| digest(algorithm, bytes);
        let (once, mixed) = match self {
            Self::Native => {
                let algorithm = &SHA1_FOR_LEGACY_USE_ONLY;
                let once = hash(algorithm, password.as_bytes());
                let twice = hash(algorithm, once.as_ref());
                (once, hash(algorithm, &[nonce, twice.as_ref()].concat()))
            }
            Self::CachingSha2 => {
                let once = hash(&SHA256, password.as_bytes());
                let twice = hash(&SHA256, once.as_ref());
                (once, hash(&SHA256, &[twice.as_ref(), nonce].concat()))
            }
        };
        once.as_ref().iter().zip(mixed.as_ref()).map(|(a, b)| a ^ b).collect()
    }
}

/// Who logs in.
pub(super) struct Login<'l> {
    pub user: &'l str,
    pub password: &'l str,
    /// Where the server is, and how TLS is spoken with it; `None`: in the clear.
    pub tls: Option<(IpAddr, &'l Tls)>,
}

/// Logs in; the session that is logged in.
pub(super) async fn log_in<'d>(
    mut session: Session<'d>,
    login: &Login<'_>,
) -> Result<Session<'d>, ProbeFailure> {
    let Login { user, password, tls } = *login;
    let packet = session.receive("greeting").await?;
    if let Some(refusal) = Refusal::of(&packet, "the connection") {
        return Err(refused(&refusal));
    }
    let greeting = Greeting::of(&packet).ok_or_else(|| nonsense("greeting"))?;
    // Another method may still not be that of this user: the server then asks to switch.
    let method = Method::named(greeting.method.as_bytes()).unwrap_or(Method::Native);
    let proof = method.proof(password, &greeting.nonce);
    let capabilities = if tls.is_some() { CAPABILITIES | TLS } else { CAPABILITIES };
    if let Some((address, tls)) = tls {
        if !greeting.offers_tls {
            return Err(ProbeFailure::inconclusive("the server speaks no TLS"));
        }
        session.send(&head(capabilities)).await?;
        session = session.encrypted(address, tls).await?;
    }
    session.send(&response(capabilities, user, method, &proof)).await?;
    settle(&mut session, method, login, greeting.nonce).await?;
    Ok(session)
}

/// How a login begins; before TLS it is all that is said.
fn head(capabilities: u32) -> Vec<u8> {
    let mut packet = Vec::new();
    packet.extend(capabilities.to_le_bytes());
    packet.extend(LONGEST_PACKET.to_le_bytes());
    packet.push(UTF8MB4);
    packet.extend([0; 23]);
    packet
}

fn response(capabilities: u32, user: &str, method: Method, proof: &[u8]) -> Vec<u8> {
    let mut packet = head(capabilities);
    packet.extend(user.as_bytes());
    packet.push(0);
    packet.push(u8::try_from(proof.len()).expect("a hash is at most 32 bytes long"));
    packet.extend(proof);
    packet.extend(method.name());
    packet.push(0);
    packet
}

/// Answers what the server asks until it lets us in or not. It ends: all it may send is bounded.
async fn settle(
    session: &mut Session<'_>,
    mut method: Method,
    login: &Login<'_>,
    mut nonce: Vec<u8>,
) -> Result<(), ProbeFailure> {
    const DONE: &[u8] = &[0x01, 0x03];
    const WANTS_PASSWORD: &[u8] = &[0x01, 0x04];
    loop {
        let packet = session.receive("answer to the login").await?;
        if let Some(refusal) = Refusal::of(&packet, "the login") {
            return Err(refused(&refusal));
        }
        match packet.as_slice() {
            [0x00, ..] => return Ok(()),
            DONE if method == Method::CachingSha2 => {}
            WANTS_PASSWORD if method == Method::CachingSha2 && login.tls.is_some() => {
                session.send(&[login.password.as_bytes(), &[0]].concat()).await?;
            }
            WANTS_PASSWORD if method == Method::CachingSha2 => {
                send_sealed(session, login.password, &nonce).await?;
            }
            [0xfe, request @ ..] => {
                let mut fields = Cursor(request);
                let name = fields.until_zero();
                method = Method::named(name).ok_or_else(|| unknown_method(name))?;
                nonce = fields.until_zero().to_vec();
                session.send(&method.proof(login.password, &nonce)).await?;
            }
            _ => return Err(nonsense("answer to the login")),
        }
    }
}

fn unknown_method(name: &[u8]) -> ProbeFailure {
    let name = String::from_utf8_lossy(name);
    let known = "mysql_native_password or caching_sha2_password";
    ProbeFailure::inconclusive(format!("the user logs in by {name:?}; give it {known}"))
}

/// Hands over the password, sealed with the server's key: a server that has not seen this user
/// since its start has nothing to compare a proof with.
async fn send_sealed(
    session: &mut Session<'_>,
    password: &str,
    nonce: &[u8],
) -> Result<(), ProbeFailure> {
    const KEY_PLEASE: &[u8] = &[0x02];
    session.send(KEY_PLEASE).await?;
    let packet = session.receive("key for the login").await?;
    if let Some(refusal) = Refusal::of(&packet, "the login") {
        return Err(refused(&refusal));
    }
    let sealed = packet.strip_prefix(&[0x01]).and_then(|pem| seal(password, nonce, pem));
    session.send(&sealed.ok_or_else(|| nonsense("key for the login"))?).await
}

fn seal(password: &str, nonce: &[u8], pem: &[u8]) -> Option<Vec<u8>> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).ok()?).ok()?;
    let plain = password.bytes().chain([0]).zip(nonce.iter().cycle());
    let plain: Vec<u8> = plain.map(|(byte, random)| byte ^ random).collect();
    let mut sealed = vec![0; key.ciphertext_size()];
    Some(key.encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut sealed, None).ok()?.to_vec())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};

    use super::*;

    /// As RFC 4648 has it.
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let quantum = |three: &[u8]| {
            let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            let digit = |place: usize| match place {
                place if place > three.len() => '=',
                place => char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]),
            };
            [0, 1, 2, 3].map(digit)
        };
        bytes.chunks(3).flat_map(quantum).collect()
    }

    #[test]
    fn a_sealed_password_is_read_by_the_keys_owner_only_with_the_nonce() {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let public = private.public_key();
        let der: PublicKeyX509Der<'_> = public.as_der().expect("an encoding");
        let encoded = base64(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n");
        let nonce = b"abcdefghijklmnopqrst";
        let sealed =
            seal("a password longer than the nonce", nonce, pem.as_bytes()).expect("sealed");
        let private = OaepPrivateDecryptingKey::new(private).expect("a key");
        let mut plain = vec![0; private.min_output_size()];
        let plain = private.decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut plain, None).expect("plain");
        let opened: Vec<u8> = plain.iter().zip(nonce.iter().cycle()).map(|(a, b)| a ^ b).collect();
        assert_eq!(opened, b"a password longer than the nonce\0");
        for pem in ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert_eq!(seal("password", nonce, pem.as_bytes()), None, "{pem}");
        }
        assert_eq!(seal(&"x".repeat(300), nonce, pem.as_bytes()), None, "too long for the key");
    }

    /// A server keeps the twofold hash alone, and checks a proof so.
    #[test]
    fn a_proof_is_what_the_server_checks() {
        let nonce = b"abcdefghijklmnopqrst";
        let proof = Method::CachingSha2.proof("secret", nonce);
        let twice = digest(&SHA256, digest(&SHA256, b"secret").as_ref());
        let mixed = digest(&SHA256, &[twice.as_ref(), nonce].concat());
        let once: Vec<u8> = proof.iter().zip(mixed.as_ref()).map(|(a, b)| a ^ b).collect();
        assert_eq!(digest(&SHA256, &once).as_ref(), twice.as_ref());
        assert_eq!(Method::Native.proof("secret", nonce).len(), 20);
        assert_eq!(Method::Native.proof("", nonce), b"");
    }
}
