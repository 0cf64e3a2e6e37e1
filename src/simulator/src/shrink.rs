//! Playing a history, and cutting a bad one down to what matters.

use crate::audit::rule::Rule;
use crate::audit::tally::Tally;
use crate::audit::{Auditor, Breach};
use crate::history::scenario::Scenario;
use crate::world::World;

/// What became of a history.
#[derive(Debug)]
pub struct Played {
    /// What must not have been: of each rule the first.
    pub breaches: Vec<Breach>,
    /// What was injected and what came of it.
    pub tally: Tally,
    /// What happened, if asked for.
    pub timeline: Vec<String>,
}

/// Plays a history; `told`: with a timeline.
///
/// # Errors
/// When its cluster cannot be deployed.
pub fn play(scenario: &Scenario, told: bool) -> anyhow::Result<Played> {
    let auditor: Auditor = World::new(scenario.clone(), told)?.play();
    let mut tally = auditor.tally.clone();
    tally.histories = 1;
    Ok(Played {
        breaches: auditor.breaches().to_vec(),
        timeline: auditor.timeline.lines().to_vec(),
        tally,
    })
}

/// The history without the faults that are not needed for a breach of the same rule, each as short
/// as it can be.
///
/// # Errors
/// As for [`play`].
pub fn shrink(scenario: &Scenario, rule: Rule) -> anyhow::Result<Scenario> {
    let breaks = |candidate: &Scenario| -> anyhow::Result<bool> {
        Ok(play(candidate, false)?.breaches.iter().any(|breach| breach.rule == rule))
    };
    let mut best = scenario.clone();
    loop {
        let before = best.faults.len();
        for index in (0..before).rev() {
            let mut candidate = best.clone();
            candidate.faults.remove(index);
            if breaks(&candidate)? {
                best = candidate;
            }
        }
        if best.faults.len() == before {
            break;
        }
    }
    for index in 0..best.faults.len() {
        while best.faults[index].for_ms > 1_000 {
            let mut candidate = best.clone();
            candidate.faults[index].for_ms /= 2;
            if !breaks(&candidate)? {
                break;
            }
            best = candidate;
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests;
