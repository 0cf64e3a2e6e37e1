//! That a VIP does not stay on a dead holder, on one that leaves, or away from the primary that it
//! follows, while another node is well.

use std::time::Duration;

use vipward_core::{NodeName, ServiceName};

use crate::audit::Auditor;
use crate::history::cluster::{FOREIGN_ENI, companions, node_of};
use crate::history::fault::FaultKind;
use crate::history::truth::Health;

/// The slowest way of a failure: by the alarms of a silent host (a minute), with the next scheduled
/// pass after it (another), and what the agents need before.
const BOUND: Duration = Duration::from_secs(150);

/// The slowest where hints or metrics are out: by the schedule's look into all metrics every
/// quarter of an hour, or by the agents' repeated hints.
const BOUND_ALONE: Duration = Duration::from_secs(990);
/// An environment of the function sees a standby missing for longer than a node takes to boot, by
/// its scheduled passes, before people hear of it.
const ALONE: Duration = Duration::from_mins(4);
/// For so long an alert is not repeated.
const ALERT_REST: Duration = Duration::from_mins(10);

impl Auditor {
    /// What is wrong, when all nodes but the holder have been dead for longer than the bound, and
    /// people have not been told of it lately.
    pub fn is_alone_untold(
        &self,
        at: Duration,
        service: &ServiceName,
        holder: Option<&str>,
    ) -> Option<String> {
        let name = self.name_of(holder?)?;
        let unchanged = at.saturating_sub(self.truth.last_change(at)) >= ALONE;
        let is_well = self.truth.was_clear(name, (at, at), |_| false);
        let mut others = self.config.nodes.iter().filter(|node| node.name != *name);
        let is_alone = others.all(|node| self.is_dead(&node.name, service, at));
        if !(unchanged && self.had_time(at, service) && is_well && is_alone) {
            return None;
        }
        let told = self.alerted.get("no-standby");
        let is_told = told.is_some_and(|told| at.saturating_sub(*told) <= ALERT_REST + ALONE);
        (!is_told).then(|| format!("{service} is on {name}, no other is well, and no alert came"))
    }

    /// What is wrong, when a dead holder has kept the VIP for longer than the bound though nothing
    /// stood in the way of leaving it.
    pub fn left_lying(
        &self,
        at: Duration,
        service: &ServiceName,
        holder: Option<&str>,
    ) -> Option<String> {
        // Never taken from it.
        if holder == Some(FOREIGN_ENI) || !self.had_time(at, service) {
            return None;
        }
        if self.held_for.get(service).is_some_and(|reason| reason == "budget-spent") {
            return None;
        }
        let dead = match holder {
            // Agents that see nothing amiss send no hints by which they are known to be well.
            None if self.is_without_metrics(at) => return None,
            None => None,
            Some(eni) => {
                let name = self.name_of(eni)?;
                if self.truth.cannot_judge(name, service, at)
                    || !self.is_dead(name, service, at)
                    || !self.tells_by_hints(name, service, at)
                {
                    return None;
                }
                Some(name)
            }
        };
        let well = self.another_that_is_well(dead, service, at, FaultKind::is_leaving)?;
        let dead = dead.map_or("nobody", NodeName::as_str);
        Some(format!(
            "{service} has been held by {dead} for longer than {BOUND:?} while {well} is well"
        ))
    }

    /// What is wrong, when a holder that leaves and is well has kept the VIP for longer than the
    /// bound though another node is well.
    pub fn lingers(
        &self,
        at: Duration,
        service: &ServiceName,
        holder: Option<&str>,
    ) -> Option<String> {
        let name = self.name_of(holder?)?;
        let leaves = companions(&self.config, service).any(|of| {
            let since = self.truth.leaving_since(name, of, at);
            since.is_some_and(|since| at.saturating_sub(since) >= BOUND)
        });
        if !leaves || !self.had_time(at, service) {
            return None;
        }
        if !self.truth.was_clear(name, (at, at), FaultKind::is_leaving) {
            return None;
        }
        let well = self.another_that_is_well(Some(name), service, at, |_| false)?;
        Some(format!("{service} has been on {name}, which leaves, while {well} is well"))
    }

    /// Whether nothing has begun, ended or moved for the bound, and one way at least is left by
    /// which the function hears and acts.
    pub fn had_time(&self, at: Duration, service: &ServiceName) -> bool {
        let unchanged = at.saturating_sub(self.truth.last_change(at));
        let rested = self.book.last(service).map(|change| at.saturating_sub(change.at));
        let lasts = |of: fn(&FaultKind) -> bool| self.truth.lasting(at).any(|f| of(&f.what));
        let without_hints = !self.config.policy.hints || lasts(FaultKind::impairs_hints_alone);
        let without_metrics = self.is_without_metrics(at);
        let is_slower = without_hints || without_metrics || lasts(FaultKind::delays_wakes);
        let without_more = lasts(|what| {
            let is_of_one_way =
                what.impairs_hints_alone() || what.impairs_metrics_alone() || what.delays_wakes();
            what.impairs_aws() && !is_of_one_way
        });
        let bound = if is_slower { BOUND_ALONE } else { BOUND };
        unchanged >= bound
            && rested.is_none_or(|rested| rested >= bound)
            && !(without_hints && without_metrics)
            && !without_more
    }

    fn is_without_metrics(&self, at: Duration) -> bool {
        self.truth.lasting(at).any(|fault| fault.what.impairs_metrics_alone())
    }

    /// Whether the observers of a node decide by hints alone that it is dead: a lone one cannot
    /// tell its silence.
    fn tells_by_hints(&self, node: &NodeName, service: &ServiceName, at: Duration) -> bool {
        let speak = |of: &NodeName| self.truth.speaks(of, service, at);
        !self.is_without_metrics(at)
            || speak(node)
            || self.config.observers_of(node).filter(|observer| speak(observer)).count() >= 2
    }

    fn name_of(&self, eni: &str) -> Option<&NodeName> {
        Some(&node_of(&self.config, eni)?.name)
    }

    /// What is wrong, when a VIP that follows a primary has been elsewhere for longer than the
    /// bound.
    pub fn strays(
        &self,
        at: Duration,
        service: &ServiceName,
        holder: Option<&str>,
    ) -> Option<String> {
        let name = self.name_of(holder?)?;
        if !self.truth.follows(service)
            || !self.had_time(at, service)
            || !self.truth.was_clear(name, (at, at), FaultKind::is_leaving)
        {
            return None;
        }
        let primary = self.another_that_is_well(Some(name), service, at, FaultKind::is_leaving)?;
        let is = self.truth.is_primary(name, service, at);
        (!is).then(|| format!("{service} is on {name}, and {primary} is the primary"))
    }

    /// Where the VIP is, when it follows a primary and is not there.
    pub fn is_away(
        &self,
        at: Duration,
        service: &ServiceName,
        holder: Option<&str>,
    ) -> Option<String> {
        let name = self.name_of(holder?)?;
        let away = self.truth.follows(service) && !self.truth.is_primary(name, service, at);
        away.then(|| format!("{service} is on {name}, which is no primary"))
    }

    /// A node but for that one which could take the VIP, all this while; but for what is `allowed`.
    fn another_that_is_well(
        &self,
        than: Option<&NodeName>,
        service: &ServiceName,
        at: Duration,
        allowed: impl Fn(&FaultKind) -> bool,
    ) -> Option<&NodeName> {
        let lately = (at.saturating_sub(BOUND), at);
        let was_primary = |name: &NodeName| {
            companions(&self.config, service).all(|of| {
                !self.truth.follows(of) || !self.truth.was_primary(name, of, lately, false)
            })
        };
        let mut names = self.config.nodes.iter().map(|node| &node.name);
        names.find(|name| {
            Some(*name) != than
                && self.truth.was_clear(name, (at, at), &allowed)
                && was_primary(name)
        })
    }

    fn is_dead(&self, node: &NodeName, service: &ServiceName, at: Duration) -> bool {
        let flaps = self.truth.lasting(at).any(
            |fault| matches!(&fault.what, FaultKind::ServiceFlap { node: on, .. } if on == node),
        );
        !flaps && !matches!(self.truth.health(node, service, at), Health::Answers(_))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vipward_core::Config;

    use super::*;
    use crate::audit::rule::Rule;
    use crate::history::cluster::named;
    use crate::history::fault::Fault;
    use crate::history::truth::Truth;

    #[test]
    fn of_a_standby_that_has_long_been_dead_people_have_to_have_heard() {
        let what = FaultKind::ServiceCrash { node: named("b"), service: named("svc") };
        let crash = [Fault { at_ms: 1_000_000, for_ms: 9_000_000, what }];
        let at = Duration::from_secs;
        let accused = |faults: &[Fault], when: u64, told: Option<u64>| {
            let pair = include_str!("../../fixtures/pair.toml");
            let config = Config::parse("sim", pair).expect("it is right");
            let start = jiff::Timestamp::UNIX_EPOCH;
            let mut auditor = Auditor::new(&config, Truth::of(faults), start, false, false);
            auditor.alerted.extend(told.map(|told| ("no-standby".to_owned(), at(told))));
            let holder = Some("eni-0000000a".to_owned());
            auditor.looks(at(when), &BTreeMap::from([(named("svc"), holder)]));
            auditor.breaches().first().map(|breach| breach.rule)
        };
        let untold = Some(Rule::MissingStandbyIsTold);
        assert_eq!(accused(&crash, 1_240, None), untold);
        assert_eq!(accused(&crash, 1_239, None), None, "within the bound");
        assert_eq!(accused(&crash, 1_240, Some(1_239)), None, "they heard");
        assert_eq!(accused(&crash, 2_081, Some(1_240)), untold, "they have to hear again");
        assert_eq!(accused(&[], 1_240, None), None, "there is one");
    }
}
