//! That a VIP does not stay on a dead holder while a node is well.

use std::time::Duration;

use crate::audit::Auditor;
use crate::begin::FOREIGN_ENI;
use crate::fault::What;
use crate::truth::Health;

/// The slowest way of a failure: by the alarms of a silent host (a minute), with the next scheduled
/// pass after it (another), and what the agents need before.
const BOUND: Duration = Duration::from_secs(150);

impl Auditor {
    /// What is wrong, when a dead holder has kept the VIP for longer than the bound though nothing
    /// stood in the way of leaving it.
    pub fn left_lying(&self, at: Duration, service: &str, holder: Option<&str>) -> Option<String> {
        // Never taken from it.
        if holder == Some(FOREIGN_ENI) {
            return None;
        }
        let unchanged = at.saturating_sub(self.truth.last_change(at));
        if unchanged < BOUND || self.truth.lasting(at).any(|fault| fault.what.impairs_aws()) {
            return None;
        }
        let since_move = self.book.last(service).map(|change| at.saturating_sub(change.at));
        if since_move.is_some_and(|since| since < BOUND) {
            return None;
        }
        if self.held_for.get(service).is_some_and(|reason| reason == "budget-spent") {
            return None;
        }
        let dead = match holder {
            None => "nobody".to_owned(),
            Some(eni) => {
                let node = self.config.nodes.iter().find(|node| node.eni.as_str() == eni)?;
                let name = node.name.as_str();
                if self.truth.cannot_judge(name, service, at) || !self.is_dead(name, service, at) {
                    return None;
                }
                name.to_owned()
            }
        };
        let nodes = self.config.nodes.iter().map(|node| node.name.as_str());
        let well = nodes.filter(|name| *name != dead).find(|name| self.is_clear(name, at))?;
        Some(format!("{service} has been held by {dead} for {unchanged:?} while {well} is well"))
    }

    fn is_dead(&self, node: &str, service: &str, at: Duration) -> bool {
        let flaps = self
            .truth
            .lasting(at)
            .any(|fault| matches!(&fault.what, What::ServiceFlap { node: on, .. } if on == node));
        !flaps && !matches!(self.truth.health(node, service, at), Health::Answers(_))
    }

    /// Nothing is wrong with the node, and nothing with the network.
    fn is_clear(&self, node: &str, at: Duration) -> bool {
        !self.truth.lasting(at).any(|fault| {
            (fault.what.names_host(node) && !fault.what.is_on_host())
                || matches!(
                    fault.what,
                    What::Partition { .. } | What::Loss { .. } | What::Cut { .. }
                )
        })
    }
}
