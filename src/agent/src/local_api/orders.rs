//! What people and systemd ask of a running agent, and the signals by which they do.

use std::convert::Infallible;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use vipward_observe::requests::{Refusal, Request};
use vipward_observe::status::Status;

/// Orders that may wait for the driver.
pub const WAITING_ORDERS: usize = 8;

/// Something asked of the running agent.
#[derive(Debug)]
pub enum Order {
    /// End.
    Stop,
    /// Read the file anew.
    Reload,
    /// Do what is asked, and say what is known then.
    Ask(Request, oneshot::Sender<Result<Status, Refusal>>),
}

/// Asks the agent that takes the orders for something.
///
/// # Errors
/// When it has ended.
pub async fn ask(
    orders: &mpsc::Sender<Order>,
    request: Request,
) -> io::Result<Result<Status, Refusal>> {
    let ended = || io::Error::new(io::ErrorKind::BrokenPipe, "the agent has ended");
    let (to, told) = oneshot::channel();
    orders.send(Order::Ask(request, to)).await.map_err(|_| ended())?;
    told.await.map_err(|_| ended())
}

/// SIGTERM and SIGINT to end, SIGHUP to read the file anew.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// From here on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Passes each on as an order.
    pub async fn pass_on(mut self, orders: mpsc::Sender<Order>) -> Infallible {
        loop {
            let order = tokio::select! {
                _ = self.terminate.recv() => Order::Stop,
                _ = self.interrupt.recv() => Order::Stop,
                _ = self.hangup.recv() => Order::Reload,
            };
            // Nobody listens once the agent ends.
            let _heard = orders.send(order).await;
        }
    }
}
