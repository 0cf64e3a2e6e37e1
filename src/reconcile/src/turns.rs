//! Which of the planned steps a pass sends, and in what pieces.

use std::collections::BTreeSet;

use vipward_core::Config;
use vipward_core::evidence::{Holder, Inventory};
use vipward_core::name::{EniId, VipAddr};
use vipward_core::plan::{PlannedMove, Step};

/// What comes after a pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// Nothing: all is settled or held.
    #[default]
    Over,
    /// Another pass soon: what is on its way may land or show at any moment.
    Soon,
    /// Another pass after a pause, longer each time: EC2 does not take the call now.
    Later,
    /// Another pass at once: there is news.
    AtOnce,
}

/// Whose turn it is, over the passes of one invocation.
#[derive(Debug, Default)]
pub struct Turns {
    /// Interfaces that refused several groups in one call: each is sent by itself.
    apart: BTreeSet<EniId>,
    /// The VIPs that nobody held by the last read.
    unheld: BTreeSet<VipAddr>,
    /// What the last pass planned and did not send has to wait so long.
    waits: Next,
    rounds: u32,
}

impl Turns {
    /// What goes to that interface is sent group by group from now on.
    pub fn take_apart(&mut self, eni: EniId) {
        self.apart.insert(eni);
    }

    /// What comes after the last pass, for what it did not send.
    pub fn waits(&self) -> Next {
        self.waits
    }

    /// Of the planned steps those that are to be sent now. What is placed by force has to be seen
    /// unheld by two reads; a move that `waits_for` a later pass is left out, and one that waits
    /// for the next holds up its whole step. The less important a step is, the less often it is
    /// sent again, so that what a throttling EC2 lets through goes to the most important.
    pub fn due(
        &mut self,
        config: &Config,
        planned: Vec<Step>,
        seen: &Inventory,
        waits_for: impl Fn(&PlannedMove) -> Next,
    ) -> Vec<Step> {
        let before = std::mem::take(&mut self.unheld);
        let vips = config.services.iter().map(|service| service.vip);
        self.unheld = vips.filter(|vip| seen.holder(config, *vip) == Holder::Nobody).collect();
        self.waits = Next::Over;
        let is_round = !planned.is_empty();
        let is_confirmed = |step: &Step| step.placed_by_force().all(|vip| before.contains(&vip));
        let pieces = planned.into_iter().flat_map(|step| {
            let is_apart = self.apart.contains(&step.eni) || !is_confirmed(&step);
            if is_apart { step.apart(config) } else { vec![step] }
        });
        let mut due = Vec::new();
        let mut place = 0;
        for step in pieces {
            if step.moves.iter().any(|planned| waits_for(planned) == Next::AtOnce) {
                self.waits = Next::AtOnce;
                continue;
            }
            let planned = step.moves.len();
            let step = step.without(|planned| waits_for(planned) == Next::Later);
            place += u32::from(!step.moves.is_empty());
            let has_its_turn = self.rounds.is_multiple_of(place);
            if step.moves.len() < planned || !has_its_turn {
                self.waits = self.waits.max(Next::Later);
            }
            if !is_confirmed(&step) {
                self.waits = Next::AtOnce;
            } else if has_its_turn && !step.moves.is_empty() {
                due.push(step);
            }
        }
        self.rounds += u32::from(is_round);
        due
    }
}
