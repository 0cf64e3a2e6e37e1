//! The rules that the alias units have to stand up to.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use vipward_core::config::AliasMode;
use vipward_core::knowledge::Answer;
use vipward_upkeep::plan::{Act, Repair};

use vipward_core::{NodeName, ServiceName};

use crate::audit::Auditor;
use crate::audit::rule::{Finding, Rule};
use crate::audit::timeline::Who;
use crate::audit::wording;
use crate::history::cluster::service_of;
use crate::interface::Interface;

#[cfg(test)]
mod tests;

/// What a unit needs at most from the news to the deed: the longest wait between two questions, a
/// time-out, and a second answer where the first alone is not enough.
const PROMPT: Duration = Duration::from_secs(6);

/// How a VIP stands with a node at a moment. Moments count from the start of the history.
#[derive(Debug, Clone)]
pub struct Standing {
    pub node: NodeName,
    pub eni: String,
    pub service: ServiceName,
    pub vip: Ipv4Addr,
    pub mode: AliasMode,
    /// Whether the interface has it.
    pub present: bool,
    /// Whether it could not go without others.
    pub bound: bool,
    /// Since when the unit has run and known its interface, and nobody else touched the address;
    /// `None` while it does not.
    pub sound_since: Option<Duration>,
    /// Since when the metadata can be relied on; `None` while they cannot.
    pub metadata_since: Option<Duration>,
    /// How far the metadata lag behind.
    pub lag: Duration,
}

/// What the auditor knows of EC2's book, of what the units were told, and of what they did.
#[derive(Debug, Default)]
pub struct AliasBook {
    /// The interface that has each VIP, and since when.
    holders: BTreeMap<Ipv4Addr, (Option<String>, Duration)>,
    /// What each node's unit heard in its life.
    heard: BTreeMap<NodeName, Heard>,
    /// The last repair of all.
    last_repair: Option<(Duration, String)>,
}

/// What a unit heard.
#[derive(Debug, Default)]
struct Heard {
    /// The last two answers, the newest last; `None` for one that tells nothing.
    last: [Option<Vec<Ipv4Addr>>; 2],
    /// VIPs that were named, and since when; until two answers in a row do not name them.
    named: BTreeMap<Ipv4Addr, Duration>,
}

impl Heard {
    fn hears(&mut self, own: Ipv4Addr, answer: &Answer, at: Duration) {
        let list = match answer {
            Answer::Addresses(list) if list.contains(&own) => Some(list),
            Answer::Addresses(_) | Answer::Unknown(_) => None,
        };
        for vip in list.into_iter().flatten() {
            self.named.entry(*vip).or_insert(at);
        }
        self.last.rotate_left(1);
        self.last[1] = list.map(|list| list.iter().copied().collect());
        let answers = &self.last;
        self.named.retain(|vip, _| !is_sure_without(answers, *vip));
    }
}

/// Whether two answers in a row said that the VIP is not here.
fn is_sure_without(last: &[Option<Vec<Ipv4Addr>>; 2], vip: Ipv4Addr) -> bool {
    last.iter().all(|list| list.as_ref().is_some_and(|list| !list.contains(&vip)))
}

impl AliasBook {
    /// At the start that interface has all VIPs, or nobody has.
    pub fn new(holder: Option<&str>, vips: impl Iterator<Item = Ipv4Addr>) -> Self {
        let holders = vips.map(|vip| (vip, (holder.map(str::to_owned), Duration::ZERO)));
        Self { holders: holders.collect(), ..Self::default() }
    }

    /// EC2's book names another interface, or nobody, for the VIP.
    pub fn goes_to(&mut self, vip: Ipv4Addr, holder: Option<&str>, at: Duration) {
        let before = self.holders.get(&vip).and_then(|(holder, _)| holder.as_deref());
        if before != holder {
            self.holders.insert(vip, (holder.map(str::to_owned), at));
        }
    }

    /// What is wrong with a repair.
    fn judge_repair(
        &self,
        node: &NodeName,
        mode: Option<AliasMode>,
        repair: &Repair,
        along: &[Ipv4Addr],
    ) -> Option<Finding> {
        let vip = repair.vip;
        let Some(mode) = mode.filter(|_| Interface::is_meant_by(repair)) else {
            return Some((Rule::AliasUnitTouchesItsOwn, format!("{node}: {repair:?}")));
        };
        if !along.is_empty() {
            return Some((
                Rule::AliasUnitTouchesItsOwn,
                format!("{node} took {along:?} away with {vip}"),
            ));
        }
        let sure = self.heard.get(node).is_some_and(|heard| is_sure_without(&heard.last, vip));
        let removes = matches!(repair.act, Act::Remove(_));
        (removes && (mode == AliasMode::Static || !sure)).then(|| {
            let what =
                format!("{node} removed {vip}, and had not been told twice that it is elsewhere");
            (Rule::AliasNeverRemovedOnDoubt, what)
        })
    }

    /// What is wrong when a VIP stands so with a node.
    fn judge(&self, at: Duration, standing: &Standing) -> Option<Finding> {
        let Standing { node, service, vip, .. } = standing;
        let (holder, moved) = self.holders.get(vip)?;
        let holds = holder.as_deref() == Some(standing.eni.as_str());
        let sound = standing.sound_since?;
        let told = self.heard.get(node).and_then(|heard| heard.named.get(vip));
        // The metadata have had the time to tell, twice, and nothing kept them from it.
        let known = standing.metadata_since.map(|since| since.max(*moved + standing.lag));
        let owed = match (standing.mode, told) {
            (AliasMode::Static, _) => Some(Duration::ZERO),
            (AliasMode::Follow, Some(told)) => Some(*told),
            (AliasMode::Follow, None) => known.filter(|_| holds),
        };
        let late = |since: Duration| at > since.max(sound) + PROMPT;
        if !standing.present && owed.is_some_and(late) {
            let what = format!("{node} has no address for {service}, and should for long");
            return Some((Rule::AliasComes, what));
        }
        let stale = standing.mode == AliasMode::Follow && !holds && !standing.bound;
        if standing.present && stale && known.is_some_and(late) {
            let what = format!("{node} still has the address of {service}, which left long ago");
            return Some((Rule::AliasGoes, what));
        }
        None
    }
}

impl Auditor {
    /// The unit of that node starts, and knows nothing.
    pub fn unit_started(&mut self, at: Duration, node: &NodeName) {
        self.timeline.tell(at, Who::Unit(node), || "starts".to_owned());
        self.aliases.heard.remove(node);
    }

    /// The metadata answered the unit of that node.
    pub fn unit_heard(&mut self, at: Duration, node: &NodeName, answer: &Answer) {
        let Some(own) = self.config.node(node).map(|node| node.address) else { return };
        let heard = self.aliases.heard.entry(node.clone()).or_default();
        let before = heard.last[1].clone();
        heard.hears(own, answer, at);
        if before != heard.last[1] {
            self.timeline.tell(at, Who::Unit(node), || match &heard.last[1] {
                None => "hears nothing that it can rely on from the metadata".to_owned(),
                Some(list) => {
                    let vips: Vec<_> = list.iter().copied().filter(|of| *of != own).collect();
                    let vips = wording::services(&self.config, &vips);
                    let vips = if vips.is_empty() { "no VIP" } else { &vips };
                    format!("hears from the metadata: {vips} here")
                }
            });
        }
    }

    /// The unit of that node changed an address.
    pub fn unit_repaired(
        &mut self,
        at: Duration,
        node: &NodeName,
        repair: &Repair,
        along: &[Ipv4Addr],
    ) {
        let service = service_of(&self.config, repair.vip);
        let name = service.map_or("no service", |service| service.name.as_str()).to_owned();
        let mode = service.map(|service| service.alias);
        self.timeline.tell(at, Who::Unit(node), || match repair.act {
            Act::Add => format!("adds the address of {name}"),
            Act::Remove(_) => format!("removes the address of {name}"),
        });
        self.tally.repairs += 1;
        self.aliases.last_repair = Some((at, format!("{name} on {node}")));
        if let Some((rule, what)) = self.aliases.judge_repair(node, mode, repair, along) {
            self.accuse(at, rule, what);
        }
    }

    /// Looks at how the VIPs stand with the nodes.
    pub fn looks_at_aliases(&mut self, at: Duration, standings: &[Standing]) {
        for standing in standings {
            if let Some((rule, what)) = self.aliases.judge(at, standing) {
                self.accuse(at, rule, what);
            }
        }
    }

    /// The history is over since `calm`, and the aliases must have come to rest.
    pub fn ends_aliases(&mut self, at: Duration, calm: Duration, standings: &[Standing]) {
        for standing in standings {
            let Standing { node, service, vip, mode, present, .. } = standing;
            let holder = self.aliases.holders.get(vip).and_then(|(holder, _)| holder.as_deref());
            let holds = holder == Some(standing.eni.as_str());
            let right = match (mode, present) {
                (AliasMode::Static, present) => *present,
                (AliasMode::Follow, present) => *present == holds || (*present && standing.bound),
            };
            if !right {
                let what = if *present { "still has" } else { "does not have" };
                let what = format!("{node} {what} the address of {service}, held by {holder:?}");
                self.accuse(at, Rule::AliasAtHolderAtRest, what);
            }
        }
        let moved = self.aliases.holders.values().map(|(_, moved)| *moved).max();
        let lag = standings.iter().map(|standing| standing.lag).max().unwrap_or_default();
        let settled = calm.max(moved.unwrap_or_default()) + lag + PROMPT;
        if let Some((when, what)) =
            self.aliases.last_repair.clone().filter(|(when, _)| *when > settled)
        {
            let what = format!(
                "{what} was changed at {when:?}, and nothing had happened since {settled:?}"
            );
            self.accuse(at, Rule::AliasesRest, what);
        }
    }
}
