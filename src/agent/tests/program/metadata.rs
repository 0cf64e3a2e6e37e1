//! Instance metadata that a test serves.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::harness::PATIENCE;

pub const ADDRESSES: &str = "network/interfaces/macs/02:00:00:00:00:15/local-ipv4s";

/// A metadata service of one instance.
pub struct Metadata {
    tree: Arc<Mutex<BTreeMap<String, String>>>,
    /// The paths that were asked for.
    asked: Receiver<String>,
    endpoint: String,
}

impl Metadata {
    pub fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let tree = Arc::new(Mutex::new(BTreeMap::new()));
        let served = Arc::clone(&tree);
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (served, tell) = (Arc::clone(&served), tell.clone());
                std::thread::spawn(move || answer(&stream.expect("a connection"), &served, &tell));
            }
        });
        let metadata = Self { tree, asked, endpoint };
        metadata.set("network/interfaces/macs/", "02:00:00:00:00:15/");
        let id = "network/interfaces/macs/02:00:00:00:00:15/interface-id";
        metadata.set(id, "eni-0a1b2c3d4e5f60001");
        metadata
    }

    pub fn set(&self, path: &str, text: &str) {
        self.tree.lock().expect("no test panics there").insert(path.to_owned(), text.to_owned());
    }

    pub fn forget(&self, path: &str) {
        self.tree.lock().expect("no test panics there").remove(path);
    }

    /// Waits until a path that contains this is asked for.
    pub fn is_asked(&self, part: &str) {
        let deadline = Instant::now() + PATIENCE;
        let left = || deadline.saturating_duration_since(Instant::now());
        let asked = || self.asked.recv_timeout(left()).expect("it is asked for in time");
        while !asked().contains(part) {}
    }

    /// Whether anything was asked since.
    pub fn was_asked(&self) -> bool {
        self.asked.try_recv().is_ok()
    }

    /// Where it is served.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn environment(&self) -> [(&str, &str); 2] {
        let found = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.endpoint.as_str());
        [("AWS_EC2_METADATA_DISABLED", "false"), found]
    }
}

/// Answers requests until the client has no more.
fn answer(mut stream: &TcpStream, tree: &Mutex<BTreeMap<String, String>>, tell: &Sender<String>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(request) = lines.next() {
        lines.by_ref().take_while(|line| !line.is_empty()).count();
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        // A test that has seen enough no longer listens.
        let _told = tell.send(path.clone());
        let body = match path.strip_prefix("/latest/meta-data/") {
            None => Some("token".to_owned()),
            Some(below) => tree.lock().expect("no test panics there").get(below).cloned(),
        };
        let (status, body) = body.map_or(("404 Not Found", String::new()), |body| ("200 OK", body));
        let answer = format!(
            "HTTP/1.1 {status}\r\nx-aws-ec2-metadata-token-ttl-seconds: 60\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
