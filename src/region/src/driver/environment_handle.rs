//! The driver's end of an execution environment.

use tokio::sync::{mpsc, oneshot};
use vipward_region_model::lambda::Invocation;

/// The driver's end of an environment; dropping it ends the process.
#[derive(Debug)]
pub(super) struct Environment {
    invocations: mpsc::UnboundedSender<Invocation>,
    _alive: oneshot::Sender<()>,
}

impl Environment {
    pub(super) fn new(
        invocations: mpsc::UnboundedSender<Invocation>,
        alive: oneshot::Sender<()>,
    ) -> Self {
        Self { invocations, _alive: alive }
    }

    /// Has the process get this invocation when it asks for the next.
    pub(super) fn hand(&self, invocation: Invocation) {
        // An environment that just ended is about to be reported as failed.
        let _ = self.invocations.send(invocation);
    }
}
