//! Scenarios: text files, one statement a line, that break a cluster and say what must be seen.

mod check;
mod description;
mod expectation;
mod parse;
mod planned;
mod play;
mod words;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cluster::Announcement;
use serde_json::Value;
use vipward_core::{NodeName, ServiceName};

use crate::layout::ClusterSpec;

pub use play::{PlayError, play};

/// The text of a file, by its path as seen from the scenario's folder.
pub type Files<'f> = &'f dyn Fn(&Path) -> std::io::Result<String>;

#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its first comment line.
    pub title: String,
    pub file: PathBuf,
    pub spec: ClusterSpec,
    /// Its statements after `start`, in order.
    pub steps: Vec<Step>,
}

/// One statement with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub line: usize,
    pub text: String,
    pub statement: Statement,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    Act(Action),
    Expect(Expectation),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `kill service S on N`
    KillService(ServiceName, NodeName),
    /// `kill agent on N`
    KillAgent(NodeName),
    /// `kill alias unit on N`
    KillAlias(NodeName),
    /// `kill node N`
    KillNode(NodeName),
    /// `cut N`
    Cut(NodeName),
    /// `restore N`
    Restore(NodeName),
    /// `instance N STATE`
    Instance(NodeName, String),
    /// `delete alias S on N`
    DeleteAlias(ServiceName, NodeName),
    /// `put event FILE`: what is in the file
    PutEvent(Value),
    /// `forge hint of N by M`
    ForgeHint {
        of: NodeName,
        /// With whose credentials.
        by: NodeName,
    },
    /// `fault ...`
    Fault(Value),
    /// `clear faults`
    ClearFaults,
    /// `leave N wait D`, or `leave N wait D in vain`
    Leave {
        node: NodeName,
        /// For how long the command may wait.
        patience: Duration,
        /// Whether the VIPs must still be there then.
        in_vain: bool,
    },
    /// `drain N wait D`, or `drain N wait D in vain`
    Drain {
        node: NodeName,
        /// For how long the command may wait.
        patience: Duration,
        /// Whether a VIP must still be there then.
        in_vain: bool,
    },
    /// `stay N`
    Stay(NodeName),
    /// `stop agent on N`
    StopAgent(NodeName),
    /// `promote S on N`
    Promote(ServiceName, NodeName),
    /// `imds N WHAT`, or `imds N clear`
    Announce(NodeName, Option<Announcement>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// `holder S is N within D`
    Holder(ServiceName, NodeName, Duration),
    /// `client of S served by N within D`
    Served(ServiceName, NodeName, Duration),
    /// `alias S on N within D`, or `no alias S on N within D`
    Alias { service: ServiceName, node: NodeName, present: bool, within: Duration },
    /// `hold S reason R within D`
    Hold(ServiceName, String, Duration),
    /// `observation S on N is V within D`: since the last action, the function knew that the node
    /// itself says so
    Observation { service: ServiceName, node: NodeName, verdict: String, within: Duration },
    /// `decision S outcome O within D`
    Decision(ServiceName, String, Duration),
    /// `fault OPERATION KIND times N within D`: it took effect that often, or more
    Fault {
        /// The operation, or `events:deliver`.
        on: String,
        kind: String,
        times: usize,
        within: Duration,
    },
    /// `hook acquire of S on N within D`: since the last action, one was done
    Hook(String, ServiceName, NodeName, Duration),
    /// `denied N ACTION within D`: since the last action, by IAM
    Denied(NodeName, String, Duration),
    /// `moves S = COUNT`
    Moves(ServiceName, usize),
    /// `notices = COUNT`
    Notices(usize),
    /// `alerts = COUNT`
    Alerts(usize),
    /// `alert KIND within D`: since the start, people got one of that kind
    Alert(String, Duration),
    /// `no move of S for D`
    NoMove(ServiceName, Duration),
}

/// A line that is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its line; 0 for the file as a whole.
    pub line: usize,
    pub what: String,
    /// What would be right.
    pub cure: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults {
    file: PathBuf,
    faults: Vec<Fault>,
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, Fault { line, what, cure }) in self.faults.iter().enumerate() {
            let end = if index + 1 < self.faults.len() { "\n" } else { "" };
            write!(f, "{}:{line}: {what}; {cure}{end}", self.file.display())?;
        }
        Ok(())
    }
}

impl Scenario {
    /// Reads and checks a scenario, with the files that it names.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn parse(file: &Path, text: &str, files: Files<'_>) -> Result<Self, Faults> {
        parse::scenario(file, text, files)
            .map_err(|faults| Faults { file: file.to_owned(), faults })
    }
}
