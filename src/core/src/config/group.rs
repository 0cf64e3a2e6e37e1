//! Services that are always held by one node.

use std::collections::BTreeMap;

use super::placed::Placed;
use super::table::{Findings, Wrong};
use super::{Config, Role, Service};

impl Config {
    /// The services that move with `service`, itself among them, in the order of the file.
    pub fn companions<'c>(
        &'c self,
        service: &'c Service,
    ) -> impl Iterator<Item = &'c Service> + Clone {
        self.services.iter().filter(move |other| {
            other.name == service.name || (service.group.is_some() && other.group == service.group)
        })
    }

    /// The services as they move: each group, a service without one being alone in its own, in the
    /// order of their first ones in the file.
    pub fn groups(&self) -> impl Iterator<Item = Vec<&Service>> {
        let groups = self.services.iter().map(|service| (service, self.companions(service)));
        groups.filter_map(|(service, mut companions)| {
            let all = companions.clone().collect();
            companions.next().is_some_and(|first| first.name == service.name).then_some(all)
        })
    }
}

/// A group has several services, and all may be held by the same nodes.
pub(super) fn check(findings: &Findings<'_>, services: &[Placed<Service>]) {
    let mut groups: BTreeMap<_, Vec<&Placed<Service>>> = BTreeMap::new();
    for service in services {
        if let Some(group) = &service.thing.group {
            groups.entry(group).or_default().push(service);
        }
    }
    for (group, members) in groups {
        if let [alone] = members[..] {
            let what = format!("service {} is alone in group {group}", alone.thing.name);
            let cure = format!("give another [[service]] group = \"{group}\", or leave it out");
            findings.add(alone.line, Wrong::new(what, cure));
        }
        let follows = |member: &&Placed<Service>| member.thing.role == Role::Primary;
        let (following, others): (Vec<_>, Vec<_>) = members.into_iter().partition(follows);
        if let Some(follower) = following.first() {
            for other in others {
                let what = format!(
                    "service {} in group {group} follows no primary, but {} on line {} does",
                    other.thing.name, follower.thing.name, follower.line
                );
                let cure =
                    "give all services of the group the same role, or put them in different groups";
                findings.add(other.line, Wrong::new(what, cure));
            }
        }
    }
}
