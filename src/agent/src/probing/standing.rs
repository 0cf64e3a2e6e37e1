//! A standing connection to a target: it says nothing and only breaks. A process that dies resets
//! its connections at once, so the break wakes the prober long before its next interval.
//!
//! It is never itself a verdict: servers close idle connections as they please. How it is made is
//! the probe's affair ([`stand`]): MySQL takes one that never logs in for an attack.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, sleep_until};
use vipward_core::config::Check;
use vipward_core::outcome::ProbeFailure;
use vipward_probes::{Wire, stand};

use vipward_observe::target::Target;

/// Before the first attempt to connect anew.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause, after many short-lived connections.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A connection that lived this long was a good one: pauses start over.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// A silent host is given more time than a probe of it would be: a break is what is waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A server may greet. One that sends more than this talks without end, and reading it would
/// cost without telling anything.
const MOST_BYTES: usize = 4096;

/// The pauses between connections: doubling while they are short-lived, so that a server which
/// closes at once costs little.
#[derive(Debug)]
struct Backoff {
    next: Duration,
}

impl Backoff {
    fn after(&mut self, lived: Duration) -> Duration {
        if lived >= STABLE_AFTER {
            self.next = FIRST_PAUSE;
        }
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// One idle connection that is made anew whenever it breaks.
pub struct StandingConnection {
    address: SocketAddr,
    check: Check,
    backoff: Backoff,
    state: State,
}

type Connecting = Pin<Box<dyn Future<Output = Result<Wire, ProbeFailure>> + Send>>;

enum State {
    Waiting { until: Instant },
    Connecting(Connecting),
    Open { stream: Wire, since: Instant, received: usize },
}

impl StandingConnection {
    /// A connection to be made at once.
    pub fn new(target: &Target) -> Self {
        let (address, check) = (target.address, patient(&target.check));
        let state = State::Connecting(connect(address, &check));
        Self { address, check, backoff: Backoff { next: FIRST_PAUSE }, state }
    }

    /// Makes the connection anew: the one that stands may be to a process or host long gone.
    pub fn renew(&mut self) {
        self.state = State::Connecting(connect(self.address, &self.check));
    }

    /// Keeps the connection until it breaks, or an attempt to make it fails. Cancel safe: called
    /// again, it goes on where it was.
    pub async fn broken(&mut self) {
        loop {
            match &mut self.state {
                State::Waiting { until } => {
                    sleep_until(*until).await;
                    self.state = State::Connecting(connect(self.address, &self.check));
                }
                State::Connecting(connecting) => match connecting.await {
                    Ok(stream) => {
                        self.state = State::Open { stream, since: Instant::now(), received: 0 };
                    }
                    Err(_) => return self.pause(Duration::ZERO),
                },
                State::Open { stream, since, received } => {
                    if ends(stream, received).await {
                        let lived = since.elapsed();
                        return self.pause(lived);
                    }
                }
            }
        }
    }

    fn pause(&mut self, lived: Duration) {
        self.state = State::Waiting { until: Instant::now() + self.backoff.after(lived) };
    }
}

fn patient(check: &Check) -> Check {
    Check { timeout: CONNECT_TIMEOUT, connect_timeout: CONNECT_TIMEOUT, ..check.clone() }
}

fn connect(address: SocketAddr, check: &Check) -> Connecting {
    let check = check.clone();
    Box::pin(async move { stand(address, &check).await })
}

/// Waits for the peer to do something; whether that ends the connection.
async fn ends(stream: &mut Wire, received: &mut usize) -> bool {
    match stream.read(&mut [0; 512]).await {
        Ok(0) | Err(_) => true,
        Ok(read) => {
            *received += read;
            *received > MOST_BYTES
        }
    }
}

#[cfg(test)]
mod tests;
