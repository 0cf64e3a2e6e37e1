//! Gathering the evidence of one pass: little while all is quiet, everything where a move is on the
//! table, and all of it at the same time.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::FutureExt as _;
use vipward_core::ServiceName;
use vipward_core::evidence::Evidence;

use crate::invocation::{Hints, Invocation};
use crate::ports::{PortError, Ports};
use crate::reading::{ByHints, Reading, Reads, STATES};

/// How long a pass that has what it needs waits for the other reads: as a rule they come at the
/// same time, and may know better.
const GRACE: Duration = Duration::from_millis(100);
/// How long it waits for a better target, where by the hints the best says nothing of itself, or is
/// about to leave: the metrics may know another, or better.
const SECOND_BEST: Duration = Duration::from_millis(400);

/// Which services' metrics are read at once; others follow where the answers call for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Of these.
    Services(BTreeSet<ServiceName>),
    /// Of every service.
    All,
}

/// Whether a pass may go on without the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// Where inventory and hints that are news decide: the first of an invocation.
    ByHints,
    /// Not before they came, or are late.
    Thorough,
}

/// The evidence of one pass.
#[derive(Debug)]
pub struct Gathered {
    /// What was read and heard.
    pub evidence: Evidence,
    /// The services that need metrics, and whose metrics were not waited for, since hints
    /// decided about another.
    pub unread: BTreeSet<ServiceName>,
    /// Whether all was read that a pass reads, and nothing was wrong with it.
    pub is_whole: bool,
}

/// Reads the world, with what hints have said already.
///
/// # Errors
/// Only when EC2 cannot be read: without the holders there is nothing to decide. What CloudWatch
/// cannot answer is missing from the evidence, which never reads as silence.
pub async fn gather<P: Ports>(
    invocation: &Invocation<'_, P>,
    hints: Hints,
    scope: &Scope,
    haste: Haste,
) -> Result<Gathered, PortError> {
    let reading = &Reading::new(invocation, hints, haste == Haste::ByHints);
    let everything = reading.services(|_| true);
    let at_once = match scope {
        Scope::Services(services) => services,
        Scope::All => &everything,
    };
    let mut reads = Reads(vec![
        Box::pin(reading.inventory().fuse()),
        Box::pin(reading.stopped(STATES).fuse()),
        Box::pin(reading.alarms().fuse()),
        Box::pin(reading.metrics(at_once.clone()).fuse()),
    ]);
    reads.until(|| reading.has_failed() || reading.suffices()).await;
    if !reading.has_come() && reading.by_hints() == ByHints::SecondBest {
        reads.until_within(invocation.ports, SECOND_BEST, || reading.has_come()).await;
    }
    reads.until_within(invocation.ports, GRACE, || false).await;
    let wanted = match scope {
        Scope::Services(_) => reading.wanted()?,
        Scope::All => everything,
    };
    let left = reading.not_asked(&wanted);
    match reading.by_hints() {
        ByHints::Nothing => reading.metrics(left).await,
        ByHints::SecondBest => {
            let mut reads = Reads(vec![Box::pin(reading.metrics(left).fuse())]);
            reads.until_within(invocation.ports, SECOND_BEST, || false).await;
        }
        ByHints::Good => {}
    }
    reading.refresh(&wanted).await;
    let (unread, is_whole) = (reading.unanswered(&wanted), reading.has_read(&wanted));
    Ok(Gathered { evidence: reading.evidence()?, unread, is_whole })
}
