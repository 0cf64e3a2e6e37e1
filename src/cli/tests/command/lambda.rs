//! Lambda's Invoke on a loopback port: answers as told, and keeps what it was asked.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// An answer to one Invoke.
pub struct Answer {
    /// The status of the response.
    pub status: u16,
    /// Headers besides the length.
    pub headers: &'static [(&'static str, &'static str)],
    /// The payload.
    pub body: String,
}

/// What was asked: the path and the payload.
pub type Request = (String, String);

/// Answers one request, in a thread of its own; the endpoint, and what will have been asked.
pub fn answering_once(answer: Answer) -> (String, JoinHandle<Request>) {
    let (endpoint, asked) = answering(vec![answer]);
    (endpoint, std::thread::spawn(move || asked.join().expect("it is asked").remove(0)))
}

/// Answers as many requests as there are answers, one after the other.
pub fn answering(answers: Vec<Answer>) -> (String, JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    let asked = std::thread::spawn(move || {
        let served = answers.iter().map(|answer| {
            let (stream, _) = listener.accept().expect("the command connects");
            serve(stream, answer)
        });
        served.collect()
    });
    (endpoint, asked)
}

fn serve(stream: TcpStream, answer: &Answer) -> Request {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("the head arrives");
        if line.trim().is_empty() {
            break;
        }
        head.push(line);
    }
    let length = head
        .iter()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body arrives");
    let Answer { status, headers, body: payload } = answer;
    let mut response = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    for (name, value) in *headers {
        let _ = write!(response, "{name}: {value}\r\n");
    }
    let _ = write!(response, "content-length: {}\r\n\r\n{payload}", payload.len());
    let mut stream = reader.get_ref();
    stream.write_all(response.as_bytes()).expect("the answer leaves");
    let path = head[0].split(' ').nth(1).expect("a request line has a path").to_owned();
    (path, String::from_utf8(body).expect("a payload is text"))
}
