//! D-Bus messages, as far as calls with text and replies with text go. By the D-Bus specification,
//! "Message Protocol": values are aligned to their size, from the beginning of the message.

/// Byte order, kind, flags, version; the body's length, the serial number, the fields' length.
pub(super) const HEAD: usize = 16;

const LITTLE_ENDIAN: u8 = b'l';
const METHOD_CALL: u8 = 1;
const ERROR: u8 = 3;
const VERSION: u8 = 1;

const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// A call of a method whose arguments are text.
pub(super) struct Call<'c> {
    pub destination: &'c str,
    pub path: &'c str,
    pub interface: &'c str,
    pub member: &'c str,
    pub arguments: &'c [&'c str],
}

impl Call<'_> {
    pub fn encode(&self, serial: u32) -> Vec<u8> {
        let mut body = Vec::new();
        for argument in self.arguments {
            put_text(&mut body, argument);
        }
        let mut bytes = vec![LITTLE_ENDIAN, METHOD_CALL, 0, VERSION];
        bytes.extend(length(&body).to_le_bytes());
        bytes.extend(serial.to_le_bytes());
        // The fields' length, once it is known.
        bytes.extend([0; 4]);
        for (code, kind, value) in [
            (PATH, b'o', self.path),
            (INTERFACE, b's', self.interface),
            (MEMBER, b's', self.member),
            (DESTINATION, b's', self.destination),
        ] {
            align(&mut bytes, 8);
            bytes.extend([code, 1, kind, 0]);
            put_text(&mut bytes, value);
        }
        if !self.arguments.is_empty() {
            align(&mut bytes, 8);
            let signature = "s".repeat(self.arguments.len());
            bytes.extend([SIGNATURE, 1, b'g', 0]);
            bytes.push(u8::try_from(signature.len()).expect("our own calls have few arguments"));
            bytes.extend(signature.as_bytes());
            bytes.push(0);
        }
        let fields = length(&bytes[HEAD..]).to_le_bytes();
        bytes[HEAD - 4..HEAD].copy_from_slice(&fields);
        align(&mut bytes, 8);
        bytes.extend(body);
        bytes
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("our own messages are short")
}

fn align(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    align(bytes, 4);
    bytes.extend(length(text.as_bytes()).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

/// How many bytes follow a message's head; `None` when it is no head.
pub(super) fn rest(head: &[u8; HEAD]) -> Option<u32> {
    if head[0] != LITTLE_ENDIAN || head[3] != VERSION {
        return None;
    }
    let body = u32_at(head, 4)?;
    let fields = u32_at(head, 12)?;
    fields.checked_next_multiple_of(8)?.checked_add(body)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// What of a message matters here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The number of the call that it answers.
    pub answers: Option<u32>,
    /// The name of the error, where it is one.
    pub error: Option<String>,
    body: Vec<u8>,
}

impl Reply {
    /// Reads a whole message.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let kind = *bytes.get(1)?;
        let end = HEAD + usize::try_from(u32_at(bytes, 12)?).ok()?;
        let mut fields = Reader { bytes: bytes.get(..end)?, at: HEAD };
        let (mut answers, mut error) = (None, None);
        while fields.at < end {
            fields.align(8);
            let code = fields.byte()?;
            match fields.signature()? {
                b"s" | b"o" => {
                    let text = fields.text()?;
                    if code == ERROR_NAME && kind == ERROR {
                        error = Some(text);
                    }
                }
                b"u" => {
                    let number = fields.number()?;
                    if code == REPLY_SERIAL {
                        answers = Some(number);
                    }
                }
                b"g" => {
                    fields.signature()?;
                }
                _ => return None,
            }
        }
        let body = bytes.get(end.next_multiple_of(8)..)?.to_vec();
        Some(Self { answers, error, body })
    }

    /// A body that is text, as errors have it.
    pub fn text(&self) -> Option<String> {
        Reader { bytes: &self.body, at: 0 }.text()
    }

    /// A body that is a variant that is text, as properties have it.
    pub fn variant_text(&self) -> Option<String> {
        let mut body = Reader { bytes: &self.body, at: 0 };
        (body.signature()? == b"s").then(|| body.text())?
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        self.align(4);
        self.take(4)?.first_chunk().copied().map(u32::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        (self.byte()? == 0).then_some(text)
    }

    fn signature(&mut self) -> Option<&'b [u8]> {
        let length = usize::from(self.byte()?);
        let signature = self.take(length)?;
        (self.byte()? == 0).then_some(signature)
    }
}
