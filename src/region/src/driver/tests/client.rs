//! A small HTTP client and a reader of the journal.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

use crate::driver::Sink;

/// Far longer than anything here takes: only a fault of the region waits so long.
const TOO_LONG: Duration = Duration::from_mins(1);

/// One line of the journal.
pub(super) type Line = Value;

/// A response, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// One request on a connection of its own; `None` when that closes without an answer.
pub(super) async fn call(
    base: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    call_from("127.0.0.1", base, method, path, headers, body).await
}

/// The same from a given source address.
pub(super) async fn call_from(
    source: &str,
    base: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut stream = send(source, base, method, path, headers, body).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(TOO_LONG, stream.read_to_end(&mut answer)).await;
    // A reset without a byte is no answer either.
    let _ = read.expect("an end in time");
    parse(&String::from_utf8(answer).expect("text"))
}

/// Sends a request and leaves its connection to the caller, who may close it before the answer.
pub(super) async fn send(
    source: &str,
    base: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> TcpStream {
    let host = base.strip_prefix("http://").expect("a base URL");
    let socket = TcpSocket::new_v4().expect("a socket");
    let source = SocketAddr::new(source.parse().expect("an address"), 0);
    socket.bind(source).expect("a loopback address");
    let mut stream = socket.connect(host.parse().expect("an address")).await.expect("serves");
    let own: String =
        headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{own}\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).await.expect("takes a request");
    stream
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(Answer {
        status,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.to_owned(),
    })
}

struct Lines(mpsc::UnboundedSender<Line>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let line = serde_json::from_slice(bytes).expect("the region writes whole lines of JSON");
        // A test that is over reads no more.
        let _ = self.0.send(line);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A sink for the journal, and its other end.
pub(super) fn sink() -> (Sink, mpsc::UnboundedReceiver<Line>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Box::new(Lines(sender)), receiver)
}

/// The next line of a kind.
pub(super) async fn next_of(journal: &mut mpsc::UnboundedReceiver<Line>, event: &str) -> Line {
    let wanted = async {
        loop {
            let line = journal.recv().await.expect("the region lives");
            if line["event"] == event {
                return line;
            }
        }
    };
    tokio::time::timeout(TOO_LONG, wanted).await.unwrap_or_else(|_| panic!("no {event} came"))
}
