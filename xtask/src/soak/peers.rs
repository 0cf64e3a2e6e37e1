//! Services that flap, and the dead CloudWatch: threads of this process on loopback.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::conversation::{ALL, Protocol};

/// Each service is well for so long, then hangs up on everybody, is well again, then says nothing.
const WELL: Duration = Duration::from_secs(25);
const ILL: Duration = Duration::from_secs(5);
/// Services flap one after the other.
const APART: Duration = Duration::from_secs(7);
/// How soon a connection notices that its service has fallen ill.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    HangsUp,
    Silent,
}

/// The services' ports, the same on each node.
pub struct Peers {
    ports: Vec<(Protocol, u16)>,
    dead_end: SocketAddr,
}

impl Peers {
    /// Starts each service on each node.
    pub fn start(nodes: &[&str]) -> Result<Self> {
        let begun = Instant::now();
        let mut ports = Vec::new();
        for (number, protocol) in (0..).zip(ALL) {
            let mut port = 0;
            for (place, node) in (0..).zip(nodes) {
                let listener = TcpListener::bind((*node, port))
                    .with_context(|| format!("cannot listen on {node}"))?;
                port = listener.local_addr().context("a bound socket")?.port();
                let offset = APART * (2 * number + place);
                serve(listener, Arc::from(protocol.words()), move || {
                    state(begun.elapsed() + offset)
                });
            }
            ports.push((protocol, port));
        }
        let dead_end = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen on loopback")?;
        let address = dead_end.local_addr().context("a bound socket")?;
        serve(dead_end, Arc::from(Vec::new()), || State::Silent);
        Ok(Self { ports, dead_end: address })
    }

    /// Where the service of that protocol is.
    pub fn port(&self, protocol: Protocol) -> u16 {
        let found = self.ports.iter().find(|(known, _)| *known == protocol);
        found.map_or(0, |(_, port)| *port)
    }

    /// Takes connections and never answers.
    pub fn dead_end(&self) -> SocketAddr {
        self.dead_end
    }
}

fn state(at: Duration) -> State {
    let round = (WELL + ILL) * 2;
    let within = Duration::from_millis(
        u64::try_from(at.as_millis() % round.as_millis()).unwrap_or_default(),
    );
    if within < WELL || (WELL + ILL..WELL * 2 + ILL).contains(&within) {
        State::Well
    } else if within < WELL + ILL {
        State::HangsUp
    } else {
        State::Silent
    }
}

/// For the life of this process.
fn serve(
    listener: TcpListener,
    words: Arc<[Vec<u8>]>,
    state: impl Fn() -> State + Clone + Send + 'static,
) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (words, state) = (words.clone(), state.clone());
            // A connection that fails is the agent's affair.
            thread::spawn(move || talk(stream, &words, state).unwrap_or_default());
        }
    });
}

fn talk(
    mut stream: TcpStream,
    words: &[Vec<u8>],
    state: impl Fn() -> State,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LOOK))?;
    let mut words = words.iter();
    let mut asked = true;
    loop {
        match state() {
            State::HangsUp => return Ok(()),
            State::Well if asked => {
                stream.write_all(words.next().map_or(&[][..], Vec::as_slice))?;
                asked = false;
            }
            State::Well | State::Silent => {}
        }
        match stream.read(&mut [0; 4096]) {
            Ok(0) => return Ok(()),
            Ok(_) => asked = true,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_well_most_of_the_time_and_ill_in_two_ways() {
        for (second, expected) in [
            (0, State::Well),
            (24, State::Well),
            (25, State::HangsUp),
            (29, State::HangsUp),
            (30, State::Well),
            (54, State::Well),
            (55, State::Silent),
            (59, State::Silent),
            (60, State::Well),
        ] {
            assert!(state(Duration::from_secs(second)) == expected, "{second}");
        }
    }
}
