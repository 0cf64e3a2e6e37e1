//! The client: connects afresh to each VIP ten times a second, asks who answers, tells changes.

use std::io::Write as _;
use std::net::SocketAddrV4;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::clock;
use crate::service::{ServiceKind, answering_node};

/// From one request to the next.
const PACE: Duration = Duration::from_millis(100);
/// After which a request has failed.
const PATIENCE: Duration = Duration::from_millis(300);

/// A VIP to ask: `name=address:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub service: String,
    pub address: SocketAddrV4,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, address) =
            text.split_once('=').ok_or("write it like redis=172.31.0.202:6379")?;
        let address = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
        Ok(Self { service: service.to_owned(), address })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.service, self.address)
    }
}

/// What the client knows of one service; told only when it changes.
#[derive(Debug, Default)]
struct View {
    node: Option<String>,
    last_good: Option<Timestamp>,
    failed: u64,
    failed_in_all: u64,
    good_in_all: u64,
}

impl View {
    /// Takes one answer; returns what there is to tell.
    fn take(&mut self, answer: Result<String, String>, now: Timestamp) -> Option<Value> {
        match answer {
            Ok(node) => {
                self.good_in_all += 1;
                let told = (self.failed > 0 || self.node.as_ref() != Some(&node)).then(|| {
                    json!({"event": "served", "node": node, "failed": self.failed, "last_good": self.last_good})
                });
                (self.node, self.last_good, self.failed) = (Some(node), Some(now), 0);
                told
            }
            Err(cause) => {
                self.failed += 1;
                self.failed_in_all += 1;
                (self.failed == 1).then(|| {
                    json!({"event": "lost", "node": self.node, "cause": cause, "last_good": self.last_good})
                })
            }
        }
    }
}

/// Asks until the process ends.
///
/// # Errors
/// None but a panic of one of its tasks.
pub async fn run(kind: ServiceKind, targets: Vec<Target>) -> Result<(), tokio::task::JoinError> {
    let asking: Vec<_> =
        targets.into_iter().map(|target| tokio::spawn(ask_on(kind, target))).collect();
    for task in asking {
        task.await?;
    }
    Ok(())
}

async fn ask_on(kind: ServiceKind, target: Target) {
    let mut view = View::default();
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        pace.tick().await;
        let answer =
            answering_node(kind, target.address, PATIENCE).await.map_err(|error| error.to_string());
        let now = clock::now();
        if let Some(mut told) = view.take(answer, now) {
            told["at"] = json!(now);
            told["service"] = json!(target.service);
            told["failed_in_all"] = json!(view.failed_in_all);
            told["good_in_all"] = json!(view.good_in_all);
            // Nobody listens any more: then the lab is gone, and this process with it.
            let _ = writeln!(std::io::stdout().lock(), "{told}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn only_changes_are_told_with_the_count_of_failures_between() {
        let mut view = View::default();
        let first = view.take(Ok("a".into()), at(1)).expect("is news");
        assert_eq!((first["event"].as_str(), first["failed"].as_u64()), (Some("served"), Some(0)));
        assert_eq!(view.take(Ok("a".into()), at(2)), None);
        let lost = view.take(Err("refused".into()), at(3)).expect("is news");
        assert_eq!((lost["event"].as_str(), lost["node"].as_str()), (Some("lost"), Some("a")));
        assert_eq!(lost["last_good"], json!(at(2)));
        assert_eq!(view.take(Err("refused".into()), at(4)), None);
        let back = view.take(Ok("b".into()), at(5)).expect("is news");
        assert_eq!((back["node"].as_str(), back["failed"].as_u64()), (Some("b"), Some(2)));
        assert_eq!(view.take(Ok("b".into()), at(6)), None);
    }

    #[test]
    fn a_target_is_a_name_and_an_address() {
        let target: Target = "redis=172.31.0.202:6379".parse().expect("is right");
        assert_eq!(target.to_string(), "redis=172.31.0.202:6379");
        assert!("redis".parse::<Target>().is_err());
        assert!("redis=here".parse::<Target>().is_err());
    }
}
