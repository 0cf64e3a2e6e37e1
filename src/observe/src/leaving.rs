//! Which own services the node is about to lose, and why: because it was told so here, or because
//! AWS has announced the end of the whole host.
//!
//! Sans-I/O.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vipward_core::ServiceName;

/// That a service leaves this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// Since when it is known.
    pub since: Timestamp,
    /// Why.
    pub reason: String,
}

/// What leaves this node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaving {
    /// What was asked for, of which services.
    requested: BTreeMap<ServiceName, Departure>,
    /// What AWS has announced of the whole host.
    announced: Option<Departure>,
}

impl Leaving {
    /// These services leave. One that does already keeps its first reason.
    pub fn on_request(&mut self, now: Timestamp, services: &[ServiceName], reason: &str) {
        for service in services {
            let departure = Departure { since: now, reason: reason.to_owned() };
            self.requested.entry(service.clone()).or_insert(departure);
        }
    }

    /// These services stay, unless the whole host leaves.
    pub fn on_cancel(&mut self, services: &[ServiceName]) {
        self.requested.retain(|service, _| !services.contains(service));
    }

    /// The whole host leaves for that reason, or does not.
    pub fn on_announcement(&mut self, now: Timestamp, reason: Option<&str>) {
        let known = self.announced.as_ref();
        if known.map(|departure| departure.reason.as_str()) != reason {
            let departure = |reason: &str| Departure { since: now, reason: reason.to_owned() };
            self.announced = reason.map(departure);
        }
    }

    /// That the service leaves, if it does.
    pub fn of(&self, service: &ServiceName) -> Option<&Departure> {
        self.announced.as_ref().or_else(|| self.requested.get(service))
    }

    /// Those of the services that leave.
    pub fn among<'s>(
        &self,
        services: impl IntoIterator<Item = &'s ServiceName>,
    ) -> BTreeSet<ServiceName> {
        services.into_iter().filter(|service| self.of(service).is_some()).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn services(names: &[&str]) -> Vec<ServiceName> {
        names.iter().map(|name| name.parse().expect("a name")).collect()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn told(leaving: &Leaving) -> Vec<(String, String, Timestamp)> {
        let all = services(&["mysql", "redis"]);
        let of = |service: &ServiceName| {
            let departure = leaving.of(service)?;
            Some((service.to_string(), departure.reason.clone(), departure.since))
        };
        all.iter().filter_map(of).collect()
    }

    #[test]
    fn what_is_requested_is_of_those_services_until_it_is_cancelled() {
        let mut leaving = Leaving::default();
        leaving.on_request(at(1), &services(&["mysql"]), "upgrade");
        leaving.on_request(at(2), &services(&["mysql"]), "again");
        assert_eq!(told(&leaving), [("mysql".to_owned(), "upgrade".to_owned(), at(1))]);
        leaving.on_cancel(&services(&["redis"]));
        assert_eq!(leaving.among(&services(&["mysql", "redis"])).len(), 1);
        leaving.on_cancel(&services(&["mysql"]));
        assert_eq!(told(&leaving), []);
    }

    #[test]
    fn what_is_announced_is_of_the_whole_host_and_nobody_here_can_cancel_it() {
        let mut leaving = Leaving::default();
        leaving.on_announcement(at(1), Some("spot"));
        leaving.on_announcement(at(6), Some("spot"));
        leaving.on_cancel(&services(&["mysql", "redis"]));
        let of_both = told(&leaving);
        assert_eq!(of_both.len(), 2);
        assert!(
            of_both.iter().all(|(_, reason, since)| (reason.as_str(), *since) == ("spot", at(1)))
        );
        leaving.on_announcement(at(11), None);
        assert_eq!(told(&leaving), []);
    }
}
