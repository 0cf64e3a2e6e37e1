//! Trying again, and giving up, within a deadline.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::Timestamp;

use crate::ports::{PortError, Ports};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long what is on its way is left alone: meanwhile hints wait in the queue.
const LOOK: Duration = Duration::from_millis(500);

/// Pauses of 100 ms, doubling up to 2 s, none of which ends after the deadline.
#[derive(Debug)]
pub struct Backoff {
    deadline: Timestamp,
    next: Duration,
}

impl Backoff {
    /// Starts with the shortest pause.
    pub fn until(deadline: Timestamp) -> Self {
        Self { deadline, next: FIRST_PAUSE }
    }

    /// Pauses and says true, or says false at once when the time left is too short for it.
    pub async fn pause(&mut self, ports: &impl Ports) -> bool {
        self.pause_within(LONGEST_PAUSE, ports).await
    }

    /// The same, for half a second at most: something may have happened by then.
    pub async fn look(&mut self, ports: &impl Ports) -> bool {
        self.pause_within(LOOK, ports).await
    }

    async fn pause_within(&mut self, longest: Duration, ports: &impl Ports) -> bool {
        let pause = self.next.min(longest);
        if ports.now() + pause >= self.deadline {
            return false;
        }
        ports.pause(pause).await;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        true
    }
}

/// The call, or an error that leaves its effect open once the deadline has come: Lambda ends an
/// invocation at its own deadline without asking, and what is not recorded by then is lost.
pub async fn bounded<T>(
    ports: &impl Ports,
    deadline: Timestamp,
    call: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let left = Duration::try_from(deadline.duration_since(ports.now())).unwrap_or(Duration::ZERO);
    match select(pin!(call), pin!(ports.pause(left))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => {
            let cause = "no answer came in time".to_owned();
            Err(PortError::Uncertain { call: "a call", cause })
        }
    }
}

/// Repeats a call that may be repeated until it succeeds, is refused, or the deadline is near.
pub async fn retry<P, T, F>(
    ports: &P,
    deadline: Timestamp,
    mut call: impl FnMut() -> F,
) -> Result<T, PortError>
where
    P: Ports,
    F: Future<Output = Result<T, PortError>>,
{
    let mut backoff = Backoff::until(deadline);
    loop {
        match bounded(ports, deadline, call()).await {
            Err(error) if error.is_transient() && backoff.pause(ports).await => {
                tracing::warn!(%error, "call repeated");
            }
            result => return result,
        }
    }
}
