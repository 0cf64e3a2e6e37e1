//! One host's alias unit in virtual time: the production machines, driven as `vipward-alias`'s own
//! loops (`unit`, `metadata`) drive them.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vipward_core::Config;
use vipward_core::knowledge::Answer;
use vipward_upkeep::pace::{GAP, Pace, Questions};
use vipward_upkeep::plan::Repair;
use vipward_upkeep::subject::Subject;
use vipward_upkeep::upkeep::Upkeep;

use crate::interface::Interface;

/// Answers in a row that say the same, after which the next says it too until something changes.
const RESTS_AFTER: u32 = 4;
/// By the unit's systemd unit.
const WATCHDOG: Duration = Duration::from_mins(2);

/// What the unit wants of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AliasAction {
    /// Look at the interface then.
    Pass(Timestamp),
    /// Ask the instance metadata then.
    Ask(Timestamp),
}

/// A running alias unit.
pub struct AliasUnit {
    upkeep: Upkeep,
    pace: Pace,
    questions: Questions,
    subject: Option<Subject>,
    /// The end of the last pass.
    rested: Timestamp,
    next_pass: Timestamp,
    /// A question is on its way.
    asking: bool,
    asked: Timestamp,
    wait: Duration,
    last: Option<Answer>,
    same: u32,
    resting: bool,
}

impl AliasUnit {
    /// A unit that starts now.
    pub fn start(config: &Config, now: Timestamp) -> Self {
        Self {
            upkeep: Upkeep::new(config.clone(), None),
            pace: Pace::new(Some(WATCHDOG)),
            questions: Questions::default(),
            subject: None,
            rested: now,
            next_pass: now,
            asking: false,
            asked: now,
            wait: Duration::ZERO,
            last: None,
            same: 0,
            resting: false,
        }
    }

    /// Looks at the interface and mends it, if it is time: what was changed, and which other
    /// addresses went with that.
    pub fn pass(
        &mut self,
        interface: &mut Interface,
        now: Timestamp,
    ) -> (Vec<(Repair, Vec<Ipv4Addr>)>, Vec<AliasAction>) {
        if now < self.next_pass {
            return (Vec::new(), Vec::new());
        }
        let plan = self.upkeep.poll(&interface.dump()).map(|pass| pass.plan).unwrap_or_default();
        let mut done = Vec::new();
        for repair in plan.repairs {
            let along = interface.carry_out(&repair);
            self.upkeep.done(repair.vip, Ok(()));
            done.push((repair, along));
        }
        self.rested = now;
        self.next_pass = now + self.pace.after(true);
        let mut actions = vec![AliasAction::Pass(self.next_pass)];
        // The kernel tells the unit of its own changes too.
        actions.extend((!done.is_empty()).then(|| self.wakes(now)));
        let subject = self.upkeep.subject();
        if subject != self.subject {
            self.subject = subject;
            (self.resting, self.same, self.wait) = (false, 0, Duration::ZERO);
            actions.extend((!self.asking).then_some(AliasAction::Ask(now)));
        }
        (done, actions)
    }

    /// Whether it has an interface to keep addresses on, as it reports.
    pub fn has_interface(&self) -> bool {
        self.upkeep.report().interface.is_some()
    }

    /// The kernel tells of a change, or an answer calls for a pass.
    pub fn wakes(&mut self, now: Timestamp) -> AliasAction {
        self.next_pass = self.next_pass.min(now.max(self.rested + GAP));
        AliasAction::Pass(self.next_pass)
    }

    /// It asks, if it has anything to ask and does not yet: about whom.
    pub fn asks(&mut self, now: Timestamp) -> Option<Subject> {
        if self.asking || self.resting || now < self.asked + self.wait {
            return None;
        }
        let subject = self.subject.clone()?;
        (self.asking, self.asked) = (true, now);
        Some(subject)
    }

    /// It is answered. `steady`: until something changes the next answer will be the same.
    pub fn hears(
        &mut self,
        subject: &Subject,
        answer: Answer,
        steady: bool,
        now: Timestamp,
    ) -> Vec<AliasAction> {
        self.asking = false;
        self.wait = self.questions.after(&answer);
        let mut actions = Vec::new();
        if self.subject.as_ref() != Some(subject) {
            // Of another interface nothing is believed, and of the right one asked at once.
            self.wait = Duration::ZERO;
            actions.extend(self.subject.is_some().then_some(AliasAction::Ask(now)));
            return actions;
        }
        let news = self.upkeep.on_answer(&answer);
        actions.extend(news.then(|| self.wakes(now)));
        self.same = if self.last.as_ref() == Some(&answer) { self.same + 1 } else { 0 };
        self.last = Some(answer);
        self.resting = steady && self.same >= RESTS_AFTER;
        self.wait += Duration::try_from(now.duration_since(self.asked)).unwrap_or_default();
        if !self.resting {
            actions.push(AliasAction::Ask(self.asked + self.wait));
        }
        actions
    }

    /// Something has changed: a unit that rested asks on at its own pace.
    pub fn resume(&mut self, now: Timestamp) -> Option<AliasAction> {
        self.same = 0;
        if !std::mem::take(&mut self.resting) {
            return None;
        }
        let passed = now.duration_since(self.asked).as_micros();
        let interval = i128::try_from(self.wait.as_micros()).unwrap_or(1).max(1);
        let whole = i64::try_from((passed / interval + 1) * interval).unwrap_or(0);
        let at = self.asked + SignedDuration::from_micros(whole);
        self.asked = at - self.wait;
        Some(AliasAction::Ask(at))
    }
}
