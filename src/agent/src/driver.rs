//! The driver of the whole agent: feeds the reporter with what the watches see and carries out
//! what it says.

use std::pin::Pin;

use tokio::sync::mpsc;
use vipward_core::text::chain;
use vipward_core::{Config, Hint, Verdict};
use vipward_observe::datum::Datum;
use vipward_observe::ports::{Outlet, SendError};
use vipward_observe::publishing::Reason;
use vipward_observe::pulse::Pulse;
use vipward_observe::reporter::{Channel, Report, Reporter};
use vipward_observe::requests::{Refusal, Request};
use vipward_observe::status::{Status, UnreadyStatus, word};
use vipward_observe::target::targets;
use vipward_observe::view::TargetChange;

use crate::failure::Failure;
use crate::host::clock::Clock;
use crate::host::systemd::Systemd;
use crate::lifecycle::{Call, Lifecycle};
use crate::local_api::orders::Order;
use crate::probing::watches::{WatchEnded, Watches};

/// Runs until ordered to stop, then ends at once: what was on its way is dropped. `reload` reads
/// the file anew.
///
/// # Errors
/// [`WatchEnded`] when a target is no longer watched.
pub async fn run(
    config: &Config,
    reporter: Reporter,
    lifecycle: Lifecycle,
    clock: Clock,
    outlet: &impl Outlet,
    mut orders: mpsc::Receiver<Order>,
    reload: impl Fn() -> Result<Config, Failure>,
) -> Result<(), WatchEnded> {
    let mut agent = Agent {
        watches: Watches::start(clock, targets(config, reporter.me())),
        pulse: Pulse::new(clock.now()),
        systemd: Systemd::find(),
        metrics: OnItsWay(None),
        hint: OnItsWay(None),
        config: config.clone(),
        reporter,
        lifecycle,
        clock,
        outlet,
    };
    agent.systemd.ready();
    agent.show();
    loop {
        agent.send_what_is_due();
        let event = agent.next(&mut orders).await;
        let stalled = agent.mind_the_gap();
        match event {
            // It may straddle the gap. A watch that ended then has been started anew.
            Event::Seen(_) if stalled => {}
            Event::Seen(change) => agent.take_in_all(&change?),
            Event::Sent(channel, outcome) => {
                agent.reporter.done(clock.now(), channel, &outcome);
            }
            Event::Due => {}
            Event::Ordered(Order::Reload) => agent.reload(&reload),
            Event::Called(call) => agent.lifecycle.on_call(clock.now(), call),
            Event::Ordered(Order::Ask(request, to)) => {
                let answer = agent.answer(&request);
                // Who asked may have gone.
                let _told = to.send(answer);
            }
            Event::Ordered(Order::Stop) => {
                agent.systemd.stopping();
                return Ok(());
            }
        }
    }
}

/// What the agent waits for.
enum Event {
    Seen(Result<TargetChange, WatchEnded>),
    Sent(Channel, Result<(), SendError>),
    Ordered(Order),
    Called(Call),
    /// Something may be due.
    Due,
}

struct Agent<'a, O> {
    config: Config,
    reporter: Reporter,
    lifecycle: Lifecycle,
    clock: Clock,
    outlet: &'a O,
    watches: Watches,
    pulse: Pulse,
    systemd: Systemd,
    metrics: OnItsWay<'a>,
    hint: OnItsWay<'a>,
}

impl<O: Outlet> Agent<'_, O> {
    fn send_what_is_due(&mut self) {
        let now = self.clock.now();
        self.reporter.on_last_seen(now, self.watches.last_seen());
        self.lifecycle.run_what_is_due(now);
        self.reporter.on_leaving(now, self.lifecycle.leaving());
        self.reporter.on_arrivals(now, self.lifecycle.holdings().all_here());
        self.reporter.on_hooks(now, self.lifecycle.hooks_failing());
        self.reporter.on_unready(now, &self.lifecycle.look_at_host(now));
        while let Some(report) = self.reporter.poll(now) {
            match report {
                Report::Metrics(why, data) => self.metrics.start(publish(self.outlet, why, data)),
                Report::Hint(content) => self.hint.start(put(self.outlet, content)),
            }
        }
    }

    async fn next(&mut self, orders: &mut mpsc::Receiver<Order>) -> Event {
        let deadlines =
            [self.reporter.deadline(), self.lifecycle.deadline(), self.pulse.deadline()];
        let due = deadlines.into_iter().flatten().min();
        tokio::select! {
            seen = self.watches.next() => Event::Seen(seen),
            outcome = self.metrics.arrived() => Event::Sent(Channel::Metrics, outcome),
            outcome = self.hint.arrived() => Event::Sent(Channel::Hints, outcome),
            Some(order) = orders.recv() => Event::Ordered(order),
            call = self.lifecycle.next() => Event::Called(call),
            () = self.clock.sleep_until(due) => Event::Due,
            () = self.systemd.stay_alive() => Event::Due,
        }
    }

    /// Starts over when the agent did not run for long; whether it did so.
    fn mind_the_gap(&mut self) -> bool {
        let now = self.clock.now();
        let Some(gap) = self.pulse.poll(now) else {
            return false;
        };
        let ms = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(ms, "stall noticed");
        self.watches.start_over();
        // What came of a request from before says nothing about what is sent from now on.
        (self.metrics, self.hint) = (OnItsWay(None), OnItsWay(None));
        self.reporter.on_stall(now);
        self.show();
        true
    }

    /// A host that dies takes all its services along: one hint says it all.
    fn take_in_all(&mut self, change: &TargetChange) {
        self.take_in(change);
        while let Some(change) = self.watches.waiting() {
            self.take_in(&change);
        }
        self.show();
    }

    fn take_in(&mut self, of_target: &TargetChange) {
        let TargetChange { subject, service, change } = of_target;
        let (from, to) = (word(change.from), word(change.to));
        let cause = change.cause.as_deref();
        tracing::info!(%subject, %service, %from, %to, cause, "verdict changed");
        self.reporter.on_change(self.clock.now(), of_target);
        if *subject == *self.reporter.me() {
            self.lifecycle.on_verdict(service, change.to);
        }
    }

    fn answer(&mut self, request: &Request) -> Result<Status, Refusal> {
        let now = self.clock.now();
        match request {
            Request::Status => {}
            Request::Leave { which, reason } => {
                self.lifecycle.depart(&self.config, which, Some(reason), now)?;
            }
            Request::Stay { which } => self.lifecycle.depart(&self.config, which, None, now)?,
        }
        Ok(self.status())
    }

    fn reload(&mut self, load: impl Fn() -> Result<Config, Failure>) {
        self.systemd.reloading();
        match load() {
            Ok(config) => self.adopt(&config),
            Err(Failure::Configuration(faults)) => {
                for fault in faults.iter() {
                    let (line, what, cure) = (fault.line, &fault.what, &fault.cure);
                    tracing::error!(line, fault = %what, %cure, "configuration refused");
                }
            }
            Err(error) => tracing::error!(fault = %chain(&error), "configuration refused"),
        }
        self.systemd.ready();
        self.show();
    }

    fn adopt(&mut self, config: &Config) {
        while let Some(change) = self.watches.waiting() {
            self.take_in(&change);
        }
        let targets = targets(config, self.reporter.me());
        let all = targets.len();
        let kept = self.watches.replace(targets);
        self.reporter.on_config(self.clock.now(), config, &kept);
        self.lifecycle.on_config(config);
        self.config = config.clone();
        let (kept, fresh) = (kept.len(), all - kept.len());
        tracing::info!(digest = %config.digest(), kept, fresh, "configuration reloaded");
    }

    fn status(&self) -> Status {
        let mut status = self.reporter.status(self.clock.now());
        for target in &mut status.targets {
            let key = (target.subject.clone(), target.service.clone());
            let Some(seen) = self.watches.last_seen_of(&key) else { continue };
            target.probe_us = seen.micros();
            // A probe that cannot judge changes no unknown verdict, and is yet why it is unknown.
            if target.verdict == Verdict::Unknown {
                target.cause = seen.cause().map(str::to_owned).or(target.cause.take());
            }
        }
        (status.leaving, status.vips, status.hooks) = self.lifecycle.status(&self.config);
        let lacks = self.lifecycle.lacks().into_iter();
        let unready = lacks.filter_map(|(service, lack)| {
            let since = self.reporter.view().unready_since(&service)?;
            Some(UnreadyStatus { service, since, cause: lack.to_string() })
        });
        status.unready = unready.collect();
        status
    }

    fn show(&self) {
        self.systemd.status(&self.reporter.view().summary());
    }
}

async fn publish(outlet: &impl Outlet, why: Reason, data: Vec<Datum>) -> Result<(), SendError> {
    let reason = why.as_str();
    let outcome = outlet.publish(&data).await;
    match (&outcome, why) {
        (Ok(()), Reason::Change) => tracing::info!(%reason, "metrics published"),
        // Every ten seconds for ever: for those who ask.
        (Ok(()), Reason::Tick) => tracing::debug!(%reason, "metrics published"),
        (Err(error), _) => tracing::warn!(%reason, %error, "metrics failed"),
    }
    outcome
}

async fn put(outlet: &impl Outlet, hint: Hint) -> Result<(), SendError> {
    let sequence = hint.sequence;
    let outcome = outlet.hint(&hint).await;
    match &outcome {
        Ok(()) => tracing::info!(sequence, "hint sent"),
        Err(error) => tracing::warn!(sequence, %error, "hint failed"),
    }
    outcome
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + 'a>>;

/// A request on its way, if any: at most one of its kind.
struct OnItsWay<'a>(Option<Sending<'a>>);

impl<'a> OnItsWay<'a> {
    fn start(&mut self, request: impl Future<Output = Result<(), SendError>> + 'a) {
        self.0 = Some(Box::pin(request));
    }

    /// What came of the request, once it has ended; for ever when there is none. Cancel safe.
    async fn arrived(&mut self) -> Result<(), SendError> {
        let outcome = match &mut self.0 {
            Some(request) => request.await,
            None => std::future::pending().await,
        };
        self.0 = None;
        outcome
    }
}

#[cfg(test)]
pub(crate) mod tests;
