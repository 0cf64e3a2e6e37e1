//! What a server of each protocol says when all is well: word for word, since the agent always asks
//! the same.

/// A protocol that a peer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Http,
    Redis,
    Mysql,
    Postgres,
    Mongodb,
}

pub const ALL: [Protocol; 6] = [
    Protocol::Tcp,
    Protocol::Http,
    Protocol::Redis,
    Protocol::Mysql,
    Protocol::Postgres,
    Protocol::Mongodb,
];

impl Protocol {
    /// Its word in the file.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Redis => "redis",
            Self::Mysql => "mysql",
            Self::Postgres => "postgres",
            Self::Mongodb => "mongodb",
        }
    }

    /// The first at once, each further one to what the agent says.
    pub fn words(self) -> Vec<Vec<u8>> {
        match self {
            Self::Tcp => Vec::new(),
            Self::Http => vec![vec![], b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()],
            Self::Redis => {
                vec![vec![], b"+PONG\r\n".to_vec(), b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n".to_vec()]
            }
            Self::Mysql => mysql(),
            Self::Postgres => postgres(),
            Self::Mongodb => vec![vec![], mongodb()],
        }
    }
}

fn mysql() -> Vec<Vec<u8>> {
    const OK: &[u8] = b"\0\0\0\x02\0\0\0";
    const END: &[u8] = b"\xfe\0\0\x02\0";
    let packet = |number: u8, body: &[u8]| {
        let length = u8::try_from(body.len()).expect("our packets are short");
        [&[length, 0, 0, number], body].concat()
    };
    let column = |name: &str| {
        let length = u8::try_from(name.len()).expect("a short name");
        [&b"\x03def\0\0\0"[..], &[length], name.as_bytes(), b"\0\x0c"].concat()
    };
    let head = b"\x0a8.0.40\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xff\x15";
    let greeting = [head, &[0; 10][..], b"ijklmnopqrst\0mysql_native_password\0"].concat();
    let answer = |packets: &[&[u8]]| {
        (1..).zip(packets).flat_map(|(number, body)| packet(number, body)).collect::<Vec<_>>()
    };
    let writable: &[&[u8]] =
        &[&[2], &column("1"), &column("@@global.read_only"), END, b"\x011\x010", END];
    let no_replica: &[&[u8]] = &[&[1], &column("x"), END, END];
    vec![packet(0, &greeting), packet(2, OK), answer(writable), answer(no_replica)]
}

fn postgres() -> Vec<Vec<u8>> {
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).expect("our messages are short");
        [&[kind], &length.to_be_bytes()[..], body].concat()
    };
    let ready = message(b'Z', b"I");
    let welcome = [message(b'R', &[0; 4]), message(b'K', &[0; 8]), ready.clone()].concat();
    let field: &[u8] = b"x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";
    let fields = message(b'T', &[&[0, 3], field, field, field].concat());
    let row = message(b'D', b"\0\x03\0\0\0\x011\0\0\0\x01f\xff\xff\xff\xff");
    let answer = [fields, row, message(b'C', b"SELECT 1\0"), ready].concat();
    vec![vec![], welcome, answer]
}

fn mongodb() -> Vec<u8> {
    const OP_MSG: u32 = 2013;
    let fields = [b"\x08isWritablePrimary\0\x01\x01ok\0", &1_f64.to_le_bytes()[..], &[0]].concat();
    let length = |bytes: usize| u32::try_from(bytes).expect("our messages are short").to_le_bytes();
    let document = [&length(fields.len() + 4)[..], &fields].concat();
    let words = [1_u32, 1, OP_MSG, 0].map(u32::to_le_bytes);
    [&length(21 + document.len())[..], words.as_flattened(), &[0], &document].concat()
}
