//! The auditor of a history: it knows the truth, sees every effect, reads every record, and says
//! what must not have been.

pub mod alias_rules;
pub mod call_log;
mod figures;
pub mod host_book;
pub mod host_rules;
mod ledger_rules;
mod liveness_rules;
mod move_rules;
pub mod rule;
mod sending_rules;
pub mod tally;
mod timeline;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use vipward_core::{Config, NodeName, ServiceName};
use vipward_region_model::journal::JournalEvent;

use crate::audit::alias_rules::AliasBook;
use crate::audit::call_log::{Assignment, CallLog, Look};
use crate::audit::figures::Proven;
use crate::audit::host_book::HostBook;
use crate::audit::ledger_rules::Decided;
use crate::audit::move_rules::{Book, Change};
use crate::audit::rule::{Finding, Rule};
use crate::audit::sending_rules::Sending;
use crate::audit::tally::Tally;
use crate::audit::timeline::{Timeline, Who};
use crate::history::cluster::{companions, node_of, service_of};
use crate::history::fault::Fault;
use crate::history::scenario::Scenario;
use crate::history::truth::Truth;

/// What must not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// When, from the start of the history.
    pub at: Duration,
    /// The rule.
    pub rule: Rule,
    /// What happened.
    pub what: String,
}

/// Who watches a history.
pub struct Auditor {
    pub config: Config,
    pub truth: Truth,
    pub book: Book,
    pub aliases: AliasBook,
    pub hosts: HostBook,
    pub tally: Tally,
    pub timeline: Timeline,
    start: Timestamp,
    /// VIPs that somebody else moves or takes off just now, and may be seen to.
    meddled: Vec<ServiceName>,
    /// VIPs that may be nowhere.
    unplaced: BTreeSet<ServiceName>,
    /// By service: why it was last held.
    pub held_for: BTreeMap<ServiceName, String>,
    /// By kind: when people were last alerted.
    pub alerted: BTreeMap<String, Duration>,
    breaches: Vec<Breach>,
    proven: Vec<Proven>,
}

impl Auditor {
    /// An auditor who has seen nothing yet; with `told`, one who keeps a timeline.
    pub fn new(
        config: &Config,
        truth: Truth,
        start: Timestamp,
        unplaced: bool,
        told: bool,
    ) -> Self {
        let services = config.services.iter().map(|service| service.name.clone());
        Self {
            config: config.clone(),
            truth,
            book: Book::new(config, unplaced, start.as_second()),
            aliases: AliasBook::new(
                config.nodes.first().filter(|_| !unplaced).map(|node| node.eni.as_str()),
                config.services.iter().map(|service| service.vip.0),
            ),
            hosts: HostBook::default(),
            tally: Tally::default(),
            timeline: Timeline::new(told),
            start,
            meddled: Vec::new(),
            unplaced: services.filter(|_| unplaced).collect(),
            held_for: BTreeMap::new(),
            alerted: BTreeMap::new(),
            breaches: Vec::new(),
            proven: Vec::new(),
        }
    }

    /// What must not have been: of each rule the first.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// This must not be.
    pub fn accuse(&mut self, at: Duration, rule: Rule, what: String) {
        self.timeline.tell(at, Who::Auditor, || format!("rule broken: {rule}: {what}"));
        if !self.breaches.iter().any(|breach| breach.rule == rule) {
            self.breaches.push(Breach { at, rule, what });
        }
    }

    /// The history itself makes no sense.
    pub fn complains(&mut self, what: &str) {
        self.accuse(Duration::ZERO, Rule::HistoryPlayable, what.to_owned());
    }

    /// A fault begins.
    pub fn begins(&mut self, at: Duration, fault: &Fault) {
        self.tally.injected(fault.what.class());
        self.timeline.tell(at, Who::Fault, || fault.in_words());
    }

    /// A fault is over.
    pub fn ends_fault(&mut self, at: Duration, fault: &Fault) {
        if !fault.what.is_momentary() {
            self.timeline.tell(at, Who::Over, || fault.what.in_words());
        }
    }

    /// Somebody with keys of their own is about to touch the VIP.
    pub fn meddles(&mut self, service: &ServiceName) {
        self.meddled.push(service.clone());
        self.unplaced.insert(service.clone());
    }

    /// The function sends an assignment, whatever comes of it.
    pub fn sees_sent(&mut self, at: Duration, call: &Assignment) {
        self.timeline.tell(at, Who::Function, || {
            let of = wording::services(&self.config, &call.addresses);
            format!("asks EC2 to bring {of} to {}", wording::node(&self.config, &call.eni))
        });
        let Self { config, truth, hosts, start, .. } = self;
        let start = *start;
        for (rule, what) in (Sending { config, truth, hosts, start, call }).judge() {
            self.accuse(at, rule, what);
        }
    }

    /// Something happened in the region; `asked` is the function's call that brought it, if one
    /// did.
    pub fn hears(&mut self, at: Duration, event: &JournalEvent, asked: Option<Assignment>) {
        match event {
            JournalEvent::Assigned { eni, addresses, from } => {
                let sent = asked.as_ref().map_or(at, |asked| self.since_start(asked.sent));
                let look = asked.as_ref().and_then(|asked| asked.look().cloned());
                let took = asked.map(|asked| asked.call_log.took()).unwrap_or_default();
                for address in addresses {
                    self.aliases.goes_to(*address, Some(eni), at);
                    let service = service_of(&self.config, *address);
                    let Some(service) = service.map(|service| service.name.clone()) else {
                        let what = format!("{address} was assigned to {eni}");
                        return self.accuse(at, Rule::OnlyFileIsTouched, what);
                    };
                    let from = from.get(address).cloned();
                    let (to, look) = (eni.clone(), look.clone());
                    self.moves(at, Change { at, service, from, to, sent, look, took });
                }
            }
            JournalEvent::Unassigned { addresses, eni } => {
                let by_hand = self.meddled.pop().is_some();
                self.timeline.tell(at, Who::Ec2, || {
                    let of = wording::services(&self.config, addresses);
                    format!("VIP of {of}: from {} to nobody", wording::node(&self.config, eni))
                });
                for address in addresses {
                    self.aliases.goes_to(*address, None, at);
                    if let Some(service) = service_of(&self.config, *address) {
                        self.book.released(&service.name);
                    }
                }
                if !by_hand {
                    let what = format!("{addresses:?} was unassigned from {eni}");
                    self.accuse(at, Rule::NeverUnassigned, what);
                }
            }
            JournalEvent::AlarmState { alarm, to, .. } => {
                self.timeline.tell(at, Who::Alarm, || format!("{alarm}: {to}"));
            }
            JournalEvent::EventPut { source, detail_type, alert }
                if source == "vipward.function" =>
            {
                self.tally.told(&self.truth, at, detail_type);
                self.timeline.tell(at, Who::People, || {
                    format!("are told: {detail_type} {}", alert.as_deref().unwrap_or_default())
                });
                self.alerted.extend(alert.as_ref().map(|kind| (kind.clone(), at)));
            }
            JournalEvent::EventPut { source, .. } if source.starts_with("vipward.agent") => {
                let name = source.rsplit('.').next().unwrap_or_default();
                self.timeline.tell(at, Who::Agent(name), || "sends a hint".to_owned());
            }
            JournalEvent::Invoked { .. } => self.tally.invocations += 1,
            JournalEvent::InvocationDropped { reason, .. } => {
                self.timeline.tell(at, Who::Function, || format!("never saw an event: {reason}"));
            }
            _ => {}
        }
    }

    fn judge_move(&self, change: &Change) -> Option<Finding> {
        let broken = self.book.judge(&self.config, &self.truth, &self.hosts, change);
        broken.or_else(|| self.goes_to_the_ready(change))
    }

    fn moves(&mut self, at: Duration, change: Change) {
        // An assignment that is repeated changes nothing.
        if self.book.holder(&change.service) == Some(&change.to) {
            return;
        }
        let node = node_of(&self.config, &change.to);
        self.timeline.tell(at, Who::Ec2, || {
            let name = |eni: &str| wording::node(&self.config, eni);
            let from = change.from.as_deref().map_or("nobody".to_owned(), name);
            format!("VIP of {}: from {from} to {}", change.service, name(&change.to))
        });
        if self.meddled.last() == Some(&change.service) && node.is_none() {
            self.meddled.pop();
            self.book.enter(change);
            return;
        }
        if change.look.is_none() {
            let what = format!("{} was moved to {} unseen", change.service, change.to);
            self.accuse(at, Rule::ReadBeforeMove, what);
        }
        self.unplaced.remove(&change.service);
        self.tally.moved(&self.truth, at, &change);
        self.tally.figures.moved(&self.config, &self.truth, &self.book, &change);
        if let Some((rule, what)) = self.judge_move(&change) {
            self.accuse(at, rule, what);
        }
        self.book.enter(change);
    }

    fn since_start(&self, moment: Timestamp) -> Duration {
        Duration::try_from(moment.duration_since(self.start)).unwrap_or_default()
    }

    /// What an invocation of the function logged, with its call log.
    pub fn reads(&mut self, at: Duration, lines: &[Value], call_log: &CallLog) {
        for line in lines {
            match line["record"].as_str() {
                Some("decision") => {
                    self.reads_decision(at, line);
                    let decided = Decided::read(line);
                    self.proven.extend(decided.as_ref().and_then(|of| {
                        let node = self.config.node(&of.to)?;
                        let accepted = self.since_start(of.assigned?);
                        of.proven(at, self.book.came(&of.service, node.eni.as_str(), accepted))
                    }));
                    let broken = decided.and_then(|decided| decided.judge(&self.config, call_log));
                    if let Some((rule, what)) = broken {
                        self.accuse(at, rule, what);
                    }
                }
                Some(other) => {
                    let reason = line["reason"].as_str().unwrap_or_default();
                    self.timeline.tell(at, Who::Function, || format!("{other}: {reason}"));
                }
                None => {}
            }
        }
    }

    fn reads_decision(&mut self, at: Duration, line: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let Ok(service) = text(&line["service"]).parse::<ServiceName>() else { return };
        let outcome = text(&line["outcome"]);
        let reason = text(&line["choice"]["hold"]["reason"]);
        if reason != "holder-up" || self.held_for.get(&service) != Some(&reason) {
            self.timeline.tell(at, Who::Function, || wording::decision(line));
        }
        self.tally.decided(&self.truth, at, &outcome, &reason);
        if outcome == "held" && reason.is_empty() {
            let what = format!("a hold of {service} without a reason");
            self.accuse(at, Rule::HoldHasReason, what);
        }
        // The function's own audit shares no code with its judgement: what one thinks right and the
        // other does not is a mistake of either.
        if reason == "audit-refused" {
            let what = format!("{service} was to move: judgements {}", line["judgements"]);
            self.accuse(at, Rule::JudgementAndAuditAgree, what);
        }
        if outcome == "moved" {
            let to = text(&line["choice"]["move"]["to"]);
            let node = to.parse().ok().and_then(|to: NodeName| self.config.node(&to));
            let eni = node.map(|node| node.eni.to_string()).unwrap_or_default();
            let decided: Option<Timestamp> = text(&line["decided"]).parse().ok();
            let since = decided.map(|decided| self.since_start(decided)).unwrap_or_default();
            if !self.book.had(&service, &eni, since, at) {
                let what =
                    format!("{service} is said to have moved to {to}, and EC2 knows nothing of it");
                self.accuse(at, Rule::MoveIsProven, what);
            }
        }
        self.held_for.insert(service, reason);
    }

    /// Looks at what lasts; `holders` are the interfaces that EC2's book names.
    pub fn looks(&mut self, at: Duration, holders: &BTreeMap<ServiceName, Option<String>>) {
        for (service, holder) in holders {
            match holder {
                None if !self.unplaced.contains(service) => {
                    let what = format!("nobody has the VIP of {service}");
                    self.accuse(at, Rule::NeverNowhere, what);
                }
                Some(_) | None => {}
            }
            let holder = holder.as_deref();
            for (rule, broken) in [
                (Rule::LeavesDeadHolder, self.left_lying(at, service, holder)),
                (Rule::LeavesLeavingHolder, self.lingers(at, service, holder)),
                (Rule::LeavesUnreadyHolder, self.stays_unready(at, service, holder)),
                (Rule::FollowsPrimary, self.strays(at, service, holder)),
                (Rule::MissingStandbyIsTold, self.is_alone_untold(at, service, holder)),
            ] {
                if let Some(what) = broken {
                    self.accuse(at, rule, what);
                }
            }
        }
    }

    /// Looks at EC2's own tags.
    pub fn looks_at_ledger(&mut self, at: Duration, look: &Look) {
        self.tally.figures.looks_at_ledger(&self.truth, at, &mut self.proven, look);
    }

    /// The history is over, and must have come to rest.
    pub fn ends(
        &mut self,
        at: Duration,
        holders: &BTreeMap<ServiceName, Option<String>>,
        said: &Scenario,
    ) {
        for (service, holder) in holders {
            if holder.as_ref().and_then(|eni| node_of(&self.config, eni)).is_none() {
                self.accuse(at, Rule::Rest, format!("{service} is held by {holder:?}"));
            }
            if let Some(what) = self.is_away(at, service, holder.as_deref()) {
                self.accuse(at, Rule::OnPrimaryAtRest, what);
            }
            let astray = companions(&self.config, service)
                .find(|other| holders.get(other).is_some_and(|of| of != holder))
                .map(|other| format!("{service} is on {holder:?}, {other} of its group is not"));
            if let Some(what) = astray {
                self.accuse(at, Rule::GroupTogetherAtRest, what);
            }
            let reason = self.held_for.get(service).cloned().unwrap_or_default();
            if reason != "holder-up" {
                self.accuse(at, Rule::Rest, format!("{service} was last held for {reason:?}"));
            }
        }
        if let Some(expected) = said.moves.filter(|moves| *moves != self.tally.moves) {
            let what = format!("{} moves, and the history says {expected}", self.tally.moves);
            self.accuse(at, Rule::MovesAsExpected, what);
        }
        let bound = said.leaves_within_ms.map(Duration::from_millis);
        let worst = self.tally.figures.left.iter().max().copied();
        if let Some(took) = worst.filter(|took| bound.is_some_and(|bound| *took > bound)) {
            let what = format!("it took {took:?}");
            self.accuse(at, Rule::LeavesDeadHolderAsExpected, what);
        }
        self.tally.lasted += at;
    }
}
