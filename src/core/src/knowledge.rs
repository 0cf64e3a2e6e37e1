//! What is known of whose VIP it is, from the answers of the instance metadata. Sans-I/O. The alias
//! unit and the agent read them by the same rules.
//!
//! One answer that names a VIP is enough to have it: the VPC delivers it here, or soon will. To be
//! without it takes two answers in a row that do not name it: the metadata lag behind EC2, and an
//! alias that goes by mistake cuts clients off. An error, or an answer without the node's own
//! address, is neither. Until then a VIP that was named is held, and put back when somebody
//! removes it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::alias_report::Holding;

#[cfg(test)]
mod tests;

/// Answers in a row that must agree before a VIP is somebody else's.
const CONFIRMED: u8 = 2;

/// What the instance metadata answered about the node's ENI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These are its private addresses.
    Addresses(BTreeSet<Ipv4Addr>),
    /// No answer, or none that makes sense; why.
    Unknown(String),
}

/// The addresses of an interface as the metadata list them, one a line; `None` when that is not
/// understood.
pub fn listed(text: &str) -> Option<BTreeSet<Ipv4Addr>> {
    text.split_whitespace().map(|address| address.parse().ok()).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    /// It was named, and since then so many answers in a row, too few to be sure, did not name it.
    Held(u8),
    /// So many answers in a row did not name it.
    Absent(u8),
}

/// What is known of each VIP.
#[derive(Clone, Debug)]
pub struct Knowledge {
    own: Ipv4Addr,
    vips: BTreeMap<Ipv4Addr, Known>,
    trouble: Option<String>,
}

impl Knowledge {
    /// Of the node at `own`, before any answer.
    pub fn new(own: Ipv4Addr, vips: impl IntoIterator<Item = Ipv4Addr>) -> Self {
        let vips = vips.into_iter().map(|vip| (vip, Known::Nothing)).collect();
        Self { own, vips, trouble: None }
    }

    /// The node's own address.
    pub fn own(&self) -> Ipv4Addr {
        self.own
    }

    /// The interface is another: what was said of the old one says nothing of it.
    pub fn forget(&mut self) {
        self.vips.values_mut().for_each(|known| *known = Known::Nothing);
    }

    /// Takes an answer in; whether anything that the unit acts on or tells has changed.
    pub fn on_answer(&mut self, answer: &Answer) -> bool {
        let before = self.clone();
        match answer {
            Answer::Addresses(all) if all.contains(&self.own) => {
                self.trouble = None;
                for (vip, known) in &mut self.vips {
                    *known = known.after(all.contains(vip));
                }
            }
            Answer::Addresses(all) => {
                let told = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                self.doubt(format!("the answer lacks the node's own {}: {told:?}", self.own));
            }
            Answer::Unknown(why) => self.doubt(why.clone()),
        }
        let differs = |vip: &Ipv4Addr| self.holding(*vip) != before.holding(*vip);
        self.trouble != before.trouble || self.vips.keys().any(differs)
    }

    fn doubt(&mut self, why: String) {
        for known in self.vips.values_mut() {
            *known = match known {
                Known::Held(_) => Known::Held(0),
                Known::Nothing | Known::Absent(_) => Known::Nothing,
            };
        }
        self.trouble = Some(why);
    }

    /// Why the last answer was none.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether the last answer named the VIP.
    pub fn names(&self, vip: Ipv4Addr) -> bool {
        self.trouble.is_none() && self.vips.get(&vip) == Some(&Known::Held(0))
    }

    /// What can be said of a VIP.
    pub fn holding(&self, vip: Ipv4Addr) -> Holding {
        match self.vips.get(&vip) {
            None => Holding::NotAsked,
            Some(Known::Held(_)) => Holding::Held,
            Some(Known::Absent(CONFIRMED..)) => Holding::NotHeld,
            Some(Known::Nothing | Known::Absent(_)) => Holding::Unknown,
        }
    }
}

impl Known {
    fn after(self, named: bool) -> Self {
        match (named, self) {
            (true, _) => Self::Held(0),
            (false, Self::Held(times)) if times + 1 < CONFIRMED => Self::Held(times + 1),
            (false, Self::Held(times) | Self::Absent(times)) => {
                Self::Absent(times.saturating_add(1))
            }
            (false, Self::Nothing) => Self::Absent(1),
        }
    }
}
