//! From words to planned changes.

use std::time::Duration;

use vipward_core::NodeName;

use super::Action;
use super::words::{Words, Wrong};
use crate::cluster::Announcement;
use crate::layout::ClusterSpec;

/// Reads a planned change that begins with `first`; `None` when it is none.
pub fn read(
    first: &str,
    words: &mut Words<'_>,
    spec: &ClusterSpec,
) -> Result<Option<Action>, Wrong> {
    Ok(Some(match first {
        "leave" => {
            words.form = "leave node-1 wait 20s [in vain]";
            let (node, patience, in_vain) = waits(words, spec)?;
            Action::Leave { node, patience, in_vain }
        }
        "drain" => {
            words.form = "drain node-1 wait 20s [in vain]";
            let (node, patience, in_vain) = waits(words, spec)?;
            Action::Drain { node, patience, in_vain }
        }
        "stay" => {
            words.form = "stay node-1";
            Action::Stay(words.host(spec)?)
        }
        "stop" => {
            words.form = "stop agent on node-1";
            words.literally("agent on")?;
            Action::StopAgent(words.host(spec)?)
        }
        "promote" => {
            words.form = "promote svc on node-2";
            let service = words.service(spec)?;
            words.literally("on")?;
            Action::Promote(service, words.host(spec)?)
        }
        "imds" => imds(words, spec)?,
        _ => return Ok(None),
    }))
}

/// The node that is to be free of VIPs, within what time, and whether it must not be then.
fn waits(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<(NodeName, Duration, bool), Wrong> {
    let node = words.host(spec)?;
    words.literally("wait")?;
    let patience = words.duration()?;
    let in_vain = match words.maybe() {
        None => false,
        Some("in") => {
            words.literally("vain")?;
            true
        }
        Some(other) => {
            let cure = format!("write `{}`", words.form);
            return Err(Wrong::new(format!("`{other}` is too much"), cure));
        }
    };
    Ok((node, patience, in_vain))
}

fn imds(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Action, Wrong> {
    words.form = "imds node-1 spot-interruption";
    let node = words.host(spec)?;
    let word = words.next("what is announced")?;
    let known = Announcement::ALL.iter().find(|(name, _)| *name == word);
    match known {
        Some((_, what)) => Ok(Action::Announce(node, Some(*what))),
        None if word == "clear" => Ok(Action::Announce(node, None)),
        None => {
            let names = Announcement::ALL.map(|(name, _)| name).join(", ");
            Err(Wrong::new(format!("nobody announces `{word}`"), format!("use {names} or clear")))
        }
    }
}
