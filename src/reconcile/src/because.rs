//! Why a VIP moves or stays, as a sentence for people.

use vipward_core::NodeName;
use vipward_core::decide::{Choice, Decision, HoldReason, MoveKind, obstacles};
use vipward_core::evidence::{Holder, Snapshot};
use vipward_core::judge::Judgement;

/// Why that was decided, by the evidence that it was decided on.
pub fn because(snapshot: Snapshot<'_>, decision: &Decision) -> String {
    match decision.choice {
        Choice::Move { kind, .. } => moves(snapshot, decision, kind),
        Choice::Hold { reason } => holds(snapshot, decision, reason),
    }
}

fn moves(snapshot: Snapshot<'_>, decision: &Decision, kind: MoveKind) -> String {
    let because = match kind {
        MoveKind::Failover => "the holder is down and another node is up",
        MoveKind::Placement => "nobody holds the VIP and a node is up",
        MoveKind::Failback => {
            "the preferred node is up and the VIP has stayed away as long as failback asks"
        }
        MoveKind::Vacate => {
            return format!(
                "the holder is {}, and another node can take over",
                why_it_goes(snapshot, decision)
            );
        }
        MoveKind::Relief => {
            "the holder is up, but clients cannot be served at the VIP there; another node is ready"
        }
        MoveKind::Follow => "the VIP follows the primary, and another node has the primary now",
        MoveKind::Switchover => "an operator asked for it",
        MoveKind::Together => "one node holds the whole group, and the VIP joins the others there",
    };
    because.to_owned()
}

fn holds(snapshot: Snapshot<'_>, decision: &Decision, reason: HoldReason) -> String {
    let because = match reason {
        HoldReason::HolderUp => "the holder is up",
        HoldReason::HolderSuspect => {
            "the holder says it is up; an observer cannot reach it, but that alone moves nothing"
        }
        HoldReason::HolderUnready => {
            let others = lacking(snapshot, decision, "it may become ready yet");
            return format!(
                "the holder is up, but clients cannot be served at the VIP there: {others}"
            );
        }
        HoldReason::AgentSilent => "the holder's agent is silent, but observers reach the service",
        HoldReason::AwaitingEvidence => return awaited(decision),
        HoldReason::Contested => {
            "only the metrics in the holder's name say something against it, and not for long: no hint \
             of its own and no observer agrees"
        }
        HoldReason::AwaitingPreferred => {
            "nobody holds the VIP, a node has only just become well, and a preferred node may be about \
             to say that it is well, too"
        }
        HoldReason::NoCandidate | HoldReason::CandidatesLag => {
            let others = lacking(snapshot, decision, "no other node can take all of its group");
            return format!("the VIP should move, but no node can take it: {others}");
        }
        HoldReason::ForeignHolder => {
            "an interface that is not in the configuration has the VIP: vipward never takes it"
        }
        HoldReason::Cooldown => {
            "the VIP may return to the preferred node, but it moved only just now"
        }
        HoldReason::BudgetSpent => "the VIP has moved too often lately, so its next move waits",
        HoldReason::CannotVacate => {
            let others = lacking(snapshot, decision, "no node is better for all of its group");
            let goes = why_it_goes(snapshot, decision);
            return format!(
                "the holder is up and {goes}, but no other node can take over: {others}"
            );
        }
        HoldReason::NoPrimary => {
            "the VIP follows a primary, and no node that is up says that it is one"
        }
        HoldReason::TwoPrimaries => {
            "the VIP follows a primary, and more than one node says that it is one"
        }
        HoldReason::MoveInFlight => {
            "the VIP should move, but an earlier call may still move it elsewhere"
        }
        HoldReason::AuditRefused => {
            "the VIP was to move, but the audit found that it must not: please report this"
        }
    };
    because.to_owned()
}

/// What is in the way of each other node; `otherwise` where it is nothing of a node's own.
fn lacking(snapshot: Snapshot<'_>, decision: &Decision, otherwise: &str) -> String {
    let service = snapshot.config.service(&decision.service);
    let obstacles = service.map(|service| obstacles(snapshot, service)).unwrap_or_default();
    let told: Vec<_> = obstacles.iter().map(ToString::to_string).collect();
    if told.is_empty() { otherwise.to_owned() } else { told.join("; ") }
}

/// Whether the holder goes by its own report, or by an operator's order.
fn why_it_goes(snapshot: Snapshot<'_>, decision: &Decision) -> &'static str {
    let drained = decision.holder.node().is_some_and(|node| snapshot.is_drained(node));
    if drained { "drained" } else { "leaving" }
}

/// What of the evidence is awaited.
fn awaited(decision: &Decision) -> String {
    match &decision.holder {
        Holder::Several(nodes) => {
            let nodes: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
            let nodes = nodes.join(" and ");
            format!("EC2 shows the VIP on {nodes}, as it may while a move settles")
        }
        Holder::Node(node) if decision.judgements.get(node) == Some(&Judgement::Unknown) => {
            format!("nobody can tell yet whether {node}, the holder, is up or down")
        }
        Holder::Nobody => "the evidence does not show yet which node can take the VIP, or EC2 may \
                           have left its holder out"
            .to_owned(),
        Holder::Node(_) | Holder::Foreign(_) => {
            "the VIP may have to move, but what agents say is not fresh enough".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use vipward_core::Config;
    use vipward_core::Verdict::{Healthy, Unknown};
    use vipward_core::decide::decide_on_all;

    use super::*;
    use crate::fake::{State, World, config};
    use crate::ports::Ports as _;
    use vipward_core::evidence::Evidence;

    /// Why that is decided of `redis`, of which the world's agents say that.
    fn told(config: &Config, change: fn(&mut State), both_hold: bool) -> String {
        let world = World::new().with(|state| {
            change(state);
            if both_hold {
                let vip = config.services[0].vip.0;
                let b = state.inventory.enis.get_mut(&config.nodes[1].eni).expect("there");
                b.addresses.push(vip);
            }
        });
        let mut evidence =
            Evidence { inventory: world.state().inventory.clone(), ..Evidence::default() };
        for (key, said) in &world.state().observations {
            evidence.observations.add(key.clone(), *said);
        }
        let now = world.now() + SignedDuration::from_secs(1);
        let snapshot = Snapshot { config, evidence: &evidence, now };
        because(snapshot, &decide_on_all(snapshot)[0])
    }

    #[test]
    fn what_is_awaited_is_told_by_itself() {
        let config = config();
        let both = "EC2 shows the VIP on a and b, as it may while a move settles";
        assert_eq!(told(&config, |_| {}, true), both);
        let silent = "nobody can tell yet whether a, the holder, is up or down";
        assert_eq!(told(&config, |_| {}, false), silent);
        let cannot_judge = |state: &mut State| state.says("a", "a", "redis", Unknown);
        assert_eq!(told(&config, cannot_judge, false), silent);
        let well = |state: &mut State| state.says("a", "a", "redis", Healthy);
        assert_eq!(told(&config, well, false), "the holder is up");
        let unheld = |state: &mut State| {
            for eni in state.inventory.enis.values_mut() {
                eni.addresses.truncate(1);
            }
        };
        let words = "the evidence does not show yet which node can take the VIP, or EC2 may have \
                     left its holder out";
        assert_eq!(told(&config, unheld, false), words);
    }
}
