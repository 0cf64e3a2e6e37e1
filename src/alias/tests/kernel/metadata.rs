//! Instance metadata of one instance with one interface, scripted: they say what they are told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::namespace::ip;

/// How long to wait for a question. Longer than the unit's longest rest after errors.
const DEADLINE: Duration = Duration::from_secs(30);

/// What is answered about the interface's addresses.
#[derive(Clone)]
pub enum Says {
    /// The node's own address and these.
    Held(&'static [&'static str]),
    /// Nothing, with status 200.
    Nothing,
    /// An error.
    Status(u16),
    /// No answer at all: the connection closes.
    Silence,
}

struct State {
    says: Says,
    eni: &'static str,
    asked: usize,
}

/// The service, for as long as the test runs.
pub struct Metadata {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Metadata {
    /// Serves on the namespace's loopback interface.
    pub fn serve(says: Says) -> Self {
        ip("link set lo up");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = State { says, eni: "eni-0a1b2c3d4e5f60001", asked: 0 };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Who asks may hang up.
                let _ = answer(stream, &served);
            }
        });
        Self { address, shared }
    }

    /// Where it is, as the variable of the AWS SDKs has it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the next question on it says this.
    pub fn say(&self, says: Says) {
        self.shared.0.lock().expect("no panic there").says = says;
    }

    /// From the next question on the interface is that one.
    pub fn be(&self, eni: &'static str) {
        self.shared.0.lock().expect("no panic there").eni = eni;
    }

    /// Waits until it was asked so many times more: the last answer but one has then been heard.
    pub fn await_questions(&self, count: usize) {
        let (state, asked) = &*self.shared;
        let state = state.lock().expect("no panic there");
        let enough = state.asked + count;
        let waited = asked.wait_timeout_while(state, DEADLINE, |state| state.asked < enough);
        let in_vain = waited.expect("no panic there").1.timed_out();
        assert!(!in_vain, "the unit did not ask {count} times");
    }
}

fn answer(mut stream: TcpStream, shared: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let mut state = shared.0.lock().expect("no panic there");
    if !request.starts_with("PUT ") {
        state.asked += 1;
        shared.1.notify_all();
    }
    let says = if request.starts_with("PUT /latest/api/token ") {
        Ok("a-token==".to_owned())
    } else if request.contains("/interface-id ") {
        Ok(state.eni.to_owned())
    } else {
        match &state.says {
            Says::Held(vips) => Ok([&["172.31.0.11"], *vips].concat().join("\n")),
            Says::Nothing => Ok(String::new()),
            Says::Status(status) => Err(*status),
            Says::Silence => return Ok(()),
        }
    };
    drop(state);
    let (status, body) = says.map_or_else(|status| (status, String::new()), |body| (200, body));
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}")
}
