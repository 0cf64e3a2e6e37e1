//! `drain`: the order, given again until the node holds no VIP, or the patience is over.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vipward_core::text::{chain, span};
use vipward_core::{Exit, NodeName};

use crate::failure::Failure;
use crate::order::{Order, Orders, listed};
use crate::reply::{Done, Reply, VipOutcome};
use crate::said::Said;

/// From a reply to the next order. Each lets the function look afresh.
const PAUSE: Duration = Duration::from_secs(3);

/// What to drain, how, and how long to wait for it.
#[derive(Debug, Clone, Copy)]
pub struct Drain<'d> {
    /// The node.
    pub node: &'d NodeName,
    /// For how many seconds.
    pub seconds: u32,
    /// Who asks.
    pub owner: &'d str,
    /// Why.
    pub reason: &'d str,
    /// How long the node may take to hold no VIP, while it is drained; `None` does not wait.
    pub wait: Option<Duration>,
}

impl Drain<'_> {
    /// The order at a moment so long after the first: the drain ends when it was to end.
    pub fn order(&self, passed: Duration) -> Order<'_> {
        let Self { node, seconds, owner, reason, .. } = *self;
        let passed = u32::try_from(passed.as_secs()).unwrap_or(u32::MAX);
        Order::Drain { node, seconds: seconds.saturating_sub(passed).max(1), owner, reason }
    }

    /// What is waited at most: an order after the drain's end would be another drain.
    fn longest_wait(&self) -> Option<Duration> {
        let lasts = Duration::from_secs(self.seconds.saturating_sub(1).into());
        self.wait.map(|wait| wait.min(lasts))
    }
}

/// Orders it, and waits until the node holds no VIP. `progress` hears what is waited for.
///
/// # Errors
/// No reply to the first order: then it may not have been carried out.
pub async fn drain(
    orders: &impl Orders,
    drain: Drain<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Said, Failure> {
    let began = Instant::now();
    let first = orders.give(&drain.order(Duration::ZERO)).await?;
    let mut done = match first {
        Reply::Refused { refused } => return Ok(Said::refused(&refused)),
        Reply::Done(done) => done,
    };
    let mut data = format!("{}\n", done.what);
    let mut told = String::new();
    loop {
        let moved = done.vips.iter().filter(|vip| vip.has_moved());
        data.push_str(&listed(moved));
        let staying = staying(&done, drain.node);
        let Some(wait) = drain.longest_wait() else { return Ok(not_waited(data, &done)) };
        if staying.is_empty() {
            let _ = writeln!(data, "{} holds no VIP", drain.node);
            return Ok(Said::data(data));
        }
        // While vipward only observes there is nothing to wait for.
        if done.mode == "observe" || began.elapsed() >= wait {
            return Ok(in_vain(data, &staying, drain.node));
        }
        if staying != told {
            progress(&format!("waiting {} at most:\n{staying}", span(wait)));
            told = staying;
        }
        sleep(PAUSE.min(wait.saturating_sub(began.elapsed()))).await;
        match orders.give(&drain.order(began.elapsed())).await {
            Ok(Reply::Done(next)) => done = next,
            Ok(Reply::Refused { refused }) => done = unread(done, refused),
            Err(failure) => done = unread(done, chain(&failure)),
        }
    }
}

/// The same, and nobody knows what has become of it since.
fn unread(done: Done, why: String) -> Done {
    Done { vips: Vec::new(), unread: Some(why), ..done }
}

/// A line for each VIP that may still be on the node; nothing if there is none.
fn staying(done: &Done, node: &NodeName) -> String {
    let unread = done.unread.iter();
    let unread = unread.map(|why| format!("  not known whether {node} holds a VIP: {why}\n"));
    let vips = listed(done.last().filter(|vip| vip.may_be_on(node.as_str())));
    unread.chain([vips]).collect()
}

fn in_vain(data: String, staying: &str, node: &NodeName) -> Said {
    let talk = format!(
        "{node} is not free of VIPs:\n{staying}\
         hint: do not stop {node} yet; the drain stays, and each VIP leaves once another node can \
         take it: see `vipward status`, and `vipward resume {node}` ends the drain\n"
    );
    Said { data, talk, exit: Exit::Degraded }
}

/// What is known at once, where nobody waits.
fn not_waited(data: String, done: &Done) -> Said {
    let rest = done.last().filter(|vip| !vip.has_moved() && vip.is_news());
    let talk = done.unread.iter().map(|why| format!("warning: no VIP could be looked at: {why}\n"));
    let failed = done.last().any(VipOutcome::has_failed);
    let exit = if failed { Exit::Degraded } else { Exit::Fine };
    Said { data: data + &listed(rest), talk: talk.collect(), exit }
}

#[cfg(test)]
mod tests;
