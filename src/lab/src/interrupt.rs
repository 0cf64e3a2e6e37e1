//! Being told to stop: Ctrl-C, an orderly end, a terminal that is gone.

use std::io;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for the signals that end a lab. While it lives they do nothing by themselves.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted(SignalKind);

impl Interrupts {
    /// Begins to listen.
    ///
    /// # Errors
    /// The handlers could not be installed.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> Interrupted {
        Interrupted(tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
        })
    }
}

impl Interrupted {
    /// 128 and the signal's number, as a shell reports it.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(u8::try_from(128 + self.0.as_raw_value()).unwrap_or(u8::MAX))
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn each_signal_has_the_exit_code_of_a_shell() {
        let mut interrupts = Interrupts::listen().expect("handlers are allowed");
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            kill_process(getpid(), signal).expect("is allowed to signal itself");
            assert_eq!(interrupts.next().await.exit_code(), ExitCode::from(code));
        }
    }
}
