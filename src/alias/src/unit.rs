//! The loop: wait for an event or the safety net, dump, compare, repair.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{debug, error, info, warn};

use crate::events::{Events, Wake};
use crate::failure::{Failure, chain};
use crate::kernel::{Kernel, KernelError};
use crate::pace::Pace;
use crate::plan::Repair;
use crate::supervisor::Supervisor;
use crate::upkeep::{Pass, Upkeep};

/// The running unit.
pub struct Unit {
    kernel: Kernel,
    events: Events,
    upkeep: Upkeep,
    pace: Pace,
    supervisor: Supervisor,
}

impl Unit {
    /// `events` must have been subscribed before anything was read from `kernel`.
    pub fn new(kernel: Kernel, events: Events, upkeep: Upkeep, supervisor: Supervisor) -> Self {
        Self { kernel, events, upkeep, pace: Pace::new(supervisor.watchdog()), supervisor }
    }

    /// Keeps the aliases until SIGTERM or SIGINT.
    ///
    /// It then leaves them in place. In static mode every node holds every alias at all times and
    /// the VPC alone says whose traffic it is; taking one away would cut off the clients of a node
    /// that still holds the VIP, at each restart and upgrade of this unit.
    ///
    /// # Errors
    /// The kernel cannot be read, or the unit lacks `CAP_NET_ADMIN`. The service manager then
    /// starts it afresh, with new sockets, which is a surer cure than any here.
    pub async fn run(mut self) -> Result<(), Failure> {
        let mut terminated = on(SignalKind::terminate())?;
        let mut interrupted = on(SignalKind::interrupt())?;
        loop {
            let wait = self.pass().await?;
            tokio::select! {
                _ = terminated.recv() => break,
                _ = interrupted.recv() => break,
                wake = self.events.next() => match wake.ok_or(Failure::Deaf)? {
                    Wake::Changed => debug!("netlink event heard"),
                    Wake::Overrun => warn!("netlink events lost"),
                },
                () = tokio::time::sleep(wait) => debug!("resync due"),
            }
        }
        self.supervisor.stopping();
        info!(aliases = "left in place", "alias unit stopped");
        Ok(())
    }

    /// One reconcile; answers how long to wait for an event before the next.
    async fn pass(&mut self) -> Result<Duration, Failure> {
        let actual = self.kernel.inventory().await?;
        let (status, all_worked) = match self.upkeep.examine(&actual) {
            Ok(pass) => self.repair(&pass).await?,
            Err(lost) => {
                if lost.just_now {
                    warn!(cause = %lost.cause, "interface lost");
                }
                (format!("waiting for the interface: {}", lost.cause), true)
            }
        };
        self.supervisor.passed(status);
        Ok(self.pace.after(all_worked))
    }

    async fn repair(&mut self, pass: &Pass) -> Result<(String, bool), Failure> {
        let interface = &pass.link.name;
        if pass.link_changed {
            info!(interface, index = pass.link.index, "interface found");
        }
        let mut failed = 0;
        for repair in &pass.repairs {
            match self.kernel.add(repair).await {
                Ok(()) => self.log_added(interface, repair),
                Err(denied @ KernelError::Denied(_)) => return Err(denied.into()),
                Err(refused) => {
                    failed += 1;
                    error!(vip = %repair.vip, error = chain(&refused), "alias failed");
                }
            }
        }
        let all = self.upkeep.vips();
        let status = format!("{} of {all} aliases on {interface}", all - failed);
        Ok((status, failed == 0))
    }

    fn log_added(&mut self, interface: &str, repair: &Repair) {
        let label = repair.label.as_ref().map_or(interface, |label| label.as_str());
        if self.upkeep.was_restored(repair.vip) {
            warn!(vip = %repair.vip, interface, label, "alias restored");
        } else {
            info!(vip = %repair.vip, interface, label, "alias added");
        }
    }
}

fn on(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|source: io::Error| Failure::Signals(source))
}
