//! The loop: wait for an event, an answer or the safety net; dump, compare, repair, report.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, info, warn};
use vipward_core::text::chain;

use crate::events::{Events, Wake};
use crate::failure::Failure;
use crate::kernel::{Kernel, KernelError};
use crate::metadata::Metadata;
use crate::report_file::ReportFile;
use crate::systemd::Systemd;
use vipward_core::knowledge::Answer;
use vipward_upkeep::pace::{GAP, Pace};
use vipward_upkeep::plan::{Act, Repair};
use vipward_upkeep::upkeep::{Pass, Upkeep};

/// The running unit.
pub struct Unit {
    /// Must have been subscribed before anything was read from `kernel`.
    pub events: Events,
    /// Where to read and to change.
    pub kernel: Kernel,
    /// What to keep.
    pub upkeep: Upkeep,
    /// Whom to ask, where a VIP follows.
    pub metadata: Option<Metadata>,
    /// Where the agent reads.
    pub report: ReportFile,
    /// Whom to tell.
    pub systemd: Systemd,
}

/// The signals that end the unit.
struct Ends {
    terminated: Signal,
    interrupted: Signal,
}

impl Unit {
    /// Keeps the aliases until SIGTERM or SIGINT.
    ///
    /// It then leaves them in place: taking one away would cut off the clients of a node that
    /// holds the VIP, at each restart and upgrade of this unit.
    ///
    /// # Errors
    /// The kernel cannot be read, or the unit lacks `CAP_NET_ADMIN`. systemd then
    /// starts it afresh, with new sockets, which is a surer cure than any here.
    pub async fn run(mut self) -> Result<(), Failure> {
        let mut ends = Ends {
            terminated: on(SignalKind::terminate())?,
            interrupted: on(SignalKind::interrupt())?,
        };
        let mut pace = Pace::new(self.systemd.watchdog());
        loop {
            let all_worked = self.pass().await?;
            let due = Instant::now() + pace.after(all_worked);
            if !self.wait(due, &mut ends).await? {
                break;
            }
        }
        self.systemd.stopping();
        info!(aliases = "left in place", "alias unit stopped");
        Ok(())
    }

    /// Waits until the next pass is due; false when the unit is to end.
    async fn wait(&mut self, due: Instant, ends: &mut Ends) -> Result<bool, Failure> {
        let rested = Instant::now() + GAP;
        loop {
            tokio::select! {
                _ = ends.terminated.recv() => return Ok(false),
                _ = ends.interrupted.recv() => return Ok(false),
                wake = self.events.next() => {
                    let wake = wake.ok_or(Failure::Deaf)?;
                    sleep_until(rested).await;
                    match self.events.and_all_there_are(wake) {
                        Wake::Changed => debug!("netlink event heard"),
                        Wake::Overrun => warn!("netlink events lost"),
                    }
                    return Ok(true);
                }
                answer = next_answer(self.metadata.as_mut()) => {
                    if self.on_answer(&answer) {
                        return Ok(true);
                    }
                }
                () = sleep_until(due) => {
                    debug!("resync due");
                    self.report.refresh();
                    return Ok(true);
                }
            }
        }
    }

    fn on_answer(&mut self, answer: &Answer) -> bool {
        let before = self.upkeep.metadata_trouble().map(ToOwned::to_owned);
        let news = self.upkeep.on_answer(answer);
        match self.upkeep.metadata_trouble() {
            Some(cause) if before.is_none() => {
                warn!(cause, "instance metadata say nothing: aliases stay as they are");
            }
            None if before.is_some() => info!("instance metadata answer again"),
            _ => {}
        }
        news
    }

    /// One reconcile; whether every repair worked.
    async fn pass(&mut self) -> Result<bool, Failure> {
        let actual = self.kernel.inventory().await?;
        let (status, all_worked) = match self.upkeep.poll(&actual) {
            Ok(pass) => self.repair(&pass).await?,
            Err(lost) => {
                if lost.just_now {
                    warn!(cause = lost.cause, cure = lost.cure, "interface lost");
                }
                (format!("waiting for the interface: {}", lost.cause), true)
            }
        };
        if let Some(metadata) = &self.metadata {
            metadata.about(self.upkeep.subject());
        }
        self.report.write(&self.upkeep.report());
        self.systemd.passed(status);
        Ok(all_worked)
    }

    async fn repair(&mut self, pass: &Pass) -> Result<(String, bool), Failure> {
        let interface = &pass.link.name;
        if pass.link_changed {
            info!(interface, index = pass.link.index, "interface found");
        }
        let mut failed = 0;
        for repair in &pass.plan.repairs {
            match self.kernel.carry_out(repair).await {
                Ok(()) => {
                    let again = self.upkeep.done(repair.vip, Ok(()));
                    log(interface, *repair, again);
                }
                Err(denied @ KernelError::Denied(_)) => return Err(denied.into()),
                Err(refused) => {
                    failed += 1;
                    let error = chain(&refused);
                    error!(vip = %repair.vip, error, "alias failed");
                    self.upkeep.done(repair.vip, Err(error));
                }
            }
        }
        for (vip, along) in &pass.plan.withheld {
            error!(%vip, with_it = ?along, "stale alias not removed: others would go with it");
        }
        let all = self.upkeep.vips();
        let right = all - failed - pass.plan.withheld.len();
        Ok((format!("{right} of {all} aliases on {interface}"), failed == 0))
    }
}

/// `again`: it had been as it should be, and somebody changed it.
fn log(interface: &str, repair: Repair, again: bool) {
    let vip = repair.vip;
    match (repair.act, again) {
        (Act::Add, true) => warn!(%vip, interface, "alias restored"),
        (Act::Add, false) => info!(%vip, interface, "alias added"),
        (Act::Remove(prefix), true) => warn!(%vip, interface, prefix, "stale alias removed"),
        (Act::Remove(prefix), false) => info!(%vip, interface, prefix, "alias removed"),
    }
}

async fn next_answer(metadata: Option<&mut Metadata>) -> Answer {
    match metadata {
        Some(metadata) => metadata.next().await,
        None => std::future::pending().await,
    }
}

fn on(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|source: io::Error| Failure::Signals(source))
}
