//! From the merged log to the stages of one failover: what happened when, and what it cost clients.
//! Pure.

mod draw;

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use vipward_core::telemetry::HINT_DETAIL_TYPE;
use vipward_core::{NodeName, ServiceName};

use crate::observed;
use crate::record::{CLIENT, LAB, REGION, Record};

pub use draw::draw;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub service: ServiceName,
    pub vip: Ipv4Addr,
    /// Who held it when the fault struck.
    pub from: NodeName,
    pub struck: Timestamp,
    pub fault: String,
}

/// One thing that happened on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    pub name: &'static str,
    pub at: Timestamp,
    pub detail: String,
}

/// What clients saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The last good answer before.
    pub last_good: Timestamp,
    /// The first good answer after.
    pub first_good: Timestamp,
    /// Who gave it.
    pub by: String,
    /// Requests that failed in between.
    pub failed: u64,
}

impl Outage {
    /// From the last good answer to the first.
    pub fn length(&self) -> SignedDuration {
        self.first_good.duration_since(self.last_good)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    pub subject: Subject,
    /// What happened, in order; the fault is first.
    pub stages: Vec<Stage>,
    /// What clients saw; `None` while they are not served again.
    pub outage: Option<Outage>,
}

impl Timeline {
    /// Reads the failover after a fault from records in order of time. A stage that nobody told is
    /// left out.
    pub fn read(records: &[Record], subject: Subject) -> Self {
        let after = records.partition_point(|record| record.at < subject.struck);
        let trace = Trace { records: &records[after..], subject: &subject };
        let mut stages =
            vec![Stage { name: "fault", at: subject.struck, detail: subject.fault.clone() }];
        stages.extend(trace.on_the_hosts());
        stages.extend(trace.in_the_region());
        stages.extend(trace.delivery());
        stages.sort_by_key(|stage| stage.at);
        let outage = trace.outage();
        Self { subject, stages, outage }
    }
}

struct Trace<'s> {
    records: &'s [Record],
    subject: &'s Subject,
}

impl<'s> Trace<'s> {
    fn first(&self, fits: impl Fn(&Record) -> bool) -> Option<&'s Record> {
        self.records.iter().find(|record| fits(record))
    }

    /// The last fitting record that came before `at`.
    fn last_before(&self, at: Timestamp, fits: impl Fn(&Record) -> bool) -> Option<&'s Record> {
        self.records.iter().rev().find(|record| record.at <= at && fits(record))
    }

    fn is_about(&self, record: &Record) -> bool {
        record.text("service") == Some(self.subject.service.as_str())
            && record.text("subject") == Some(self.subject.from.as_str())
    }

    fn on_the_hosts(&self) -> impl Iterator<Item = Stage> {
        let told_by = |record: &Record| record.by.strip_prefix("agent ").unwrap_or("?").to_owned();
        let probe = self.first(|record| record.what == "probe failed" && self.is_about(record));
        let probe = probe.map(|record| {
            let cause = record.text("cause").unwrap_or("no cause told");
            stage("probe failed", record, format!("seen by {}: {cause}", told_by(record)))
        });
        let unhealthy = |record: &Record| record.text("to") == Some("unhealthy");
        let verdict = self.first(|record| {
            record.what == "verdict changed" && unhealthy(record) && self.is_about(record)
        });
        let verdict = verdict
            .map(|record| stage("verdict", record, format!("unhealthy, says {}", told_by(record))));
        [probe, verdict].into_iter().flatten()
    }

    /// The call that brought the VIP elsewhere.
    fn assigned(&self) -> Option<observed::Move> {
        observed::moves(self.records, self.subject.vip).into_iter().next()
    }

    /// The chain that led to the call, found backwards: only the invocation that moved counts.
    fn in_the_region(&self) -> Vec<Stage> {
        let mut stages = Vec::new();
        let Some(assigned) = self.assigned() else {
            return stages;
        };
        let decision = self.decision();
        let wake = decision.as_ref().and_then(|record| record["wake"].as_str());
        let invoked = self.last_before(assigned.at, |record| {
            record.is(REGION, "invoked") && record.text("kind") == Some("async")
        });
        if let Some(invoked) = invoked {
            let delivered = self.last_before(invoked.at, |record| {
                record.is(REGION, "event-delivered")
                    && record.text("function") == invoked.text("function")
            });
            if let Some(delivered) = delivered {
                stages.extend(self.trigger(wake, delivered.at));
                let rule = delivered.text("rule").unwrap_or("a rule");
                stages.push(stage("event delivered", delivered, format!("by {rule}")));
            }
            let function = invoked.text("function").unwrap_or("the function");
            stages.push(stage(
                "function invoked",
                invoked,
                self.earlier_looks(function, invoked.at),
            ));
        }
        let told =
            |name, at: Option<Timestamp>, detail: String| at.map(|at| Stage { name, at, detail });
        let time = |key: &str| decision.as_ref()?[key].as_str()?.parse().ok();
        stages.extend(told("decided", time("decided"), Self::choice(decision.as_ref())));
        stages.push(Stage {
            name: "assigned",
            at: assigned.at,
            detail: format!("to {}", assigned.eni),
        });
        stages.extend(told("proven", time("proven"), "EC2 names the new holder".to_owned()));
        stages
    }

    /// What woke the function: the hint or the alarm whose event was delivered.
    fn trigger(&self, wake: Option<&str>, delivered: Timestamp) -> Option<Stage> {
        let hint = |record: &Record| {
            record.is(REGION, "event-put") && record.text("detail_type") == Some(HINT_DETAIL_TYPE)
        };
        let alarm = |record: &Record| {
            record.is(REGION, "alarm-state") && record.text("to") == Some("ALARM")
        };
        if wake == Some("hint") {
            let put = self.last_before(delivered, hint)?;
            let source = put.text("source").unwrap_or("an agent");
            Some(stage("hint sent", put, format!("from {source}")))
        } else {
            let rang = self.last_before(delivered, alarm).filter(|_| wake == Some("alarm"))?;
            Some(stage("alarm", rang, rang.text("alarm").unwrap_or("an alarm").to_owned()))
        }
    }

    /// How often the function had looked since the fault, and why it had held.
    fn earlier_looks(&self, function: &str, invoked: Timestamp) -> String {
        let decisions = observed::decisions(self.records, self.subject.service.as_str());
        let earlier = decisions.iter().filter(|decision| decision.at < invoked);
        let reasons: Vec<&str> = earlier.filter_map(|decision| decision.hold.as_deref()).collect();
        match reasons.last() {
            Some(last) => format!("{function}; had held {} x before, last: {last}", reasons.len()),
            None => function.to_owned(),
        }
    }

    /// The function's own record of the move.
    fn decision(&self) -> Option<Value> {
        let decisions = observed::decisions(self.records, self.subject.service.as_str());
        decisions.into_iter().find(|one| one.outcome == "moved").map(|one| one.record)
    }

    fn choice(decision: Option<&Value>) -> String {
        let choice = decision.map(|record| &record["choice"]["move"]);
        let text = |key: &str| choice.and_then(|choice| choice[key].as_str()).unwrap_or("?");
        format!("{} to {}", text("kind"), text("to"))
    }

    fn delivery(&self) -> impl Iterator<Item = Stage> {
        let vip = self.subject.vip.to_string();
        let delivered = self
            .first(|record| record.is(LAB, "vip delivered") && record.text("vip") == Some(&vip));
        let to = |record: &Record| record.text("to").unwrap_or("nobody").to_owned();
        let delivered = delivered.map(|record| {
            stage("VIP delivered", record, format!("the VPC routes {vip} to {}", to(record)))
        });
        let served = self.outage().map(|outage| Stage {
            name: "client served",
            at: outage.first_good,
            detail: format!("by {}", outage.by),
        });
        [delivered, served, self.arrival()].into_iter().flatten()
    }

    /// The new holder's instance metadata name the VIP, as its agent told the function.
    fn arrival(&self) -> Option<Stage> {
        let stages = self.records.iter().filter_map(|record| record.function_record("stage"));
        let mut arrivals = stages.filter(|told| told["stage"] == "arrived");
        let told = arrivals.find(|told| told["service"] == self.subject.service.as_str())?;
        let detail = format!("says {} by its metadata", told["node"].as_str()?);
        Some(Stage { name: "arrived", at: told["arrived"].as_str()?.parse().ok()?, detail })
    }

    fn outage(&self) -> Option<Outage> {
        let told = |record: &&Record, what: &str| {
            record.is(CLIENT, what) && record.text("service") == Some(self.subject.service.as_str())
        };
        let lost = self.records.iter().position(|record| told(&record, "lost"))?;
        let served = self.records[lost..].iter().find(|record| told(record, "served"))?;
        Some(Outage {
            last_good: self.records[lost].text("last_good")?.parse().ok()?,
            first_good: served.at,
            by: served.text("node")?.to_owned(),
            failed: served.number("failed").unwrap_or_default(),
        })
    }
}

fn stage(name: &'static str, record: &Record, detail: String) -> Stage {
    Stage { name, at: record.at, detail }
}
