//! What the unit remembers from pass to pass: the node it is, the interface it found, what EC2 says
//! of each VIP, and which VIPs were already as they should be.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use vipward_core::NodeName;
use vipward_core::alias_report::{self, AliasReport, AliasState};
use vipward_core::config::{AliasMode, Config, Node, Service};
use vipward_core::knowledge::{Answer, Knowledge};

use crate::inventory::{Inventory, Link, Mac};
use crate::locate::locate;
use crate::own_node::own_node;
use crate::plan::{Desired, DesiredAliases, Plan, plan};
use crate::subject::Subject;

#[cfg(test)]
mod tests;

/// The memory of the unit. No I/O: a pass feeds it a dump and carries out what it answers.
#[derive(Debug)]
pub struct Upkeep {
    config: Config,
    named: Option<NodeName>,
    own: Option<Own>,
    trouble: Option<String>,
    drift: BTreeMap<Ipv4Addr, String>,
    repairs: BTreeMap<Ipv4Addr, u64>,
}

/// What is known once the node is.
#[derive(Debug)]
struct Own {
    node: Node,
    mac: Option<Mac>,
    on: Option<Link>,
    knowledge: Knowledge,
    /// What was desired of each VIP when the interface was last seen to be so.
    settled: BTreeMap<Ipv4Addr, Desired>,
    present: Vec<Ipv4Addr>,
}

/// What one dump shows.
#[derive(Debug)]
pub struct Pass {
    /// The node's interface.
    pub link: Link,
    /// Whether it is another one than in the pass before, or was away there.
    pub link_changed: bool,
    /// What to do, and what better not.
    pub plan: Plan,
}

/// Why there is nothing to repair.
#[derive(Debug)]
pub struct Lost {
    /// Why node or interface cannot be told.
    pub cause: String,
    /// What would help.
    pub cure: String,
    /// Whether it still could in the pass before, or was never tried.
    pub just_now: bool,
}

impl Upkeep {
    /// For the node of that name, or the one whose address this host has or will have.
    pub fn new(config: Config, named: Option<NodeName>) -> Self {
        Self {
            config,
            named,
            own: None,
            trouble: None,
            drift: BTreeMap::new(),
            repairs: BTreeMap::new(),
        }
    }

    /// How many VIPs it keeps.
    pub fn vips(&self) -> usize {
        self.config.services.len()
    }

    /// Whether any VIP follows.
    pub fn follows(&self) -> bool {
        self.config.services.iter().any(|service| service.alias == AliasMode::Follow)
    }

    /// Takes an answer of the instance metadata in; whether a pass is due.
    pub fn on_answer(&mut self, answer: &Answer) -> bool {
        self.own.as_mut().is_some_and(|own| own.knowledge.on_answer(answer))
    }

    /// Why the instance metadata say nothing, when they do not.
    pub fn metadata_trouble(&self) -> Option<&str> {
        self.own.as_ref().and_then(|own| own.knowledge.trouble())
    }

    /// Whom to ask the instance metadata about, when anybody.
    pub fn subject(&self) -> Option<Subject> {
        let own = self.own.as_ref().filter(|_| self.follows())?;
        let mac = own.on.as_ref()?.mac?;
        Some(Subject { mac, eni: own.node.eni.clone() })
    }

    /// What is to be done by a dump: what is, compared with what should be.
    ///
    /// # Errors
    /// [`Lost`]: the host has no such node or interface now.
    pub fn poll(&mut self, actual: &Inventory) -> Result<Pass, Lost> {
        self.drift.clear();
        let before = self.trouble.take();
        let mut lost = |cause: String, cure: String| {
            let just_now = before.as_ref() != Some(&cause);
            self.trouble = Some(cause.clone());
            Lost { cause, cure, just_now }
        };
        let own = match &mut self.own {
            Some(own) => own,
            unset => match own_node(&self.config, self.named.as_ref(), actual) {
                Ok(node) => unset.insert(Own::new(node.clone(), &self.config.services)),
                Err(error) => return Err(lost(error.to_string(), error.cure())),
            },
        };
        let link = match locate(actual, own.node.address, own.mac) {
            Ok(link) => link.clone(),
            Err(error) => {
                own.on = None;
                own.present.clear();
                return Err(lost(error.to_string(), error.cure().to_owned()));
            }
        };
        if own.mac.is_some() && own.mac != link.mac {
            own.knowledge.forget();
        }
        own.mac = link.mac;
        let link_changed = own.on.as_ref() != Some(&link);
        own.on = Some(link.clone());
        let plan = own.compare(&link, &self.config.services, actual);
        for (vip, others) in &plan.withheld {
            let others = others.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let drift = format!("stale, but the kernel would take {others} away with it");
            self.drift.insert(*vip, drift);
        }
        Ok(Pass { link, link_changed, plan })
    }

    /// A repair of the present plan worked, or failed for a reason; whether it put back what had
    /// been as it should be, so that somebody had changed it.
    pub fn done(&mut self, vip: Ipv4Addr, outcome: Result<(), String>) -> bool {
        if let Err(why) = outcome {
            self.drift.insert(vip, why);
            return false;
        }
        let Some(own) = &mut self.own else {
            return false;
        };
        let desired = own.desired(vip, &self.config.services);
        let again = own.settled.get(&vip) == Some(&desired);
        own.present.retain(|present| *present != vip);
        if desired == Desired::Present {
            own.settled.insert(vip, desired);
            own.present.push(vip);
        }
        if again {
            *self.repairs.entry(vip).or_default() += 1;
        }
        again
    }

    /// What there is to tell after a pass.
    pub fn report(&self) -> AliasReport {
        let own = self.own.as_ref();
        AliasReport {
            version: alias_report::VERSION,
            node: own.map(|own| own.node.name.clone()),
            interface: own.and_then(|own| own.on.as_ref()).map(|link| link.name.clone()),
            trouble: self
                .trouble
                .clone()
                .or_else(|| self.metadata_trouble().map(ToOwned::to_owned)),
            aliases: self.config.services.iter().map(|service| self.state(service)).collect(),
        }
    }

    fn state(&self, service: &Service) -> AliasState {
        let vip = service.vip.0;
        let own = self.own.as_ref();
        let unknown = match service.alias {
            AliasMode::Static => alias_report::Holding::NotAsked,
            AliasMode::Follow => alias_report::Holding::Unknown,
        };
        // Where the node or its interface is missing, so is every alias it owes.
        let owed =
            own.is_none_or(|own| own.desired(vip, &self.config.services) == Desired::Present);
        let missing = self.trouble.clone().filter(|_| owed);
        AliasState {
            service: service.name.clone(),
            vip,
            mode: service.alias.name().to_owned(),
            ec2: own.map_or(unknown, |own| own.knowledge.holding(vip)),
            present: own.is_some_and(|own| own.present.contains(&vip)),
            drift: self.drift.get(&vip).cloned().or(missing),
            repairs: self.repairs.get(&vip).copied().unwrap_or(0),
        }
    }
}

impl Own {
    fn new(node: Node, services: &[Service]) -> Self {
        let following = services.iter().filter(|service| service.alias == AliasMode::Follow);
        let knowledge = Knowledge::new(node.address, following.map(|service| service.vip.0));
        Self { node, mac: None, on: None, knowledge, settled: BTreeMap::new(), present: Vec::new() }
    }

    fn compare(&mut self, link: &Link, services: &[Service], actual: &Inventory) -> Plan {
        let owed = services.iter().map(|s| (s.vip.0, self.desired(s.vip.0, services)));
        let desired = DesiredAliases { link: link.index, aliases: owed.collect() };
        let plan = plan(&desired, actual);
        self.present.clear();
        for (vip, desired) in desired.aliases {
            let present = actual.prefix_on(link.index, vip).is_some();
            if desired != Desired::Unchanged {
                if present == (desired == Desired::Present) {
                    self.settled.insert(vip, desired);
                } else if self.settled.get(&vip) != Some(&desired) {
                    self.settled.remove(&vip);
                }
            }
            self.present.extend(present.then_some(vip));
        }
        plan
    }

    fn desired(&self, vip: Ipv4Addr, services: &[Service]) -> Desired {
        let service = services.iter().find(|service| service.vip.0 == vip);
        match service.map(|service| service.alias) {
            Some(AliasMode::Static) => Desired::Present,
            Some(AliasMode::Follow) => self.knowledge.holding(vip).into(),
            None => Desired::Unchanged,
        }
    }
}
