//! From words to an expectation.

use vipward_core::ServiceName;
use vipward_core::decide::HoldReason;

use super::Expectation;
use super::words::{Words, Wrong};
use crate::layout::ClusterSpec;

const HOOKS: [&str; 3] = ["acquire", "release", "fault"];
const VERDICTS: [&str; 3] = ["healthy", "unhealthy", "unknown"];
const OUTCOMES: [&str; 6] = ["moved", "held", "observed", "overtaken", "failed", "unproven"];

pub fn read(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Expectation, Wrong> {
    words.form = "expect holder|client|alias|hold|observation|decision|fault|hook|denied|moves|\
                  notices|alerts|alert|no ...";
    Ok(match words.next("what is expected")? {
        "holder" => {
            words.form = "expect holder svc is node-1 within 30s";
            let service = words.service(spec)?;
            words.literally("is")?;
            Expectation::Holder(service, words.host(spec)?, words.within()?)
        }
        "client" => {
            words.form = "expect client of svc served by node-2 within 60s";
            words.literally("of")?;
            let service = words.service(spec)?;
            words.literally("served by")?;
            Expectation::Served(service, words.host(spec)?, words.within()?)
        }
        "alias" => {
            words.form = "expect alias svc on node-1 within 1s";
            let service = words.service(spec)?;
            words.literally("on")?;
            alias(service, words, spec, true)?
        }
        "hold" => {
            words.form = "expect hold svc reason no-candidate within 60s";
            let service = words.service(spec)?;
            words.literally("reason")?;
            let reason = closed(words, "hold reason", &hold_reasons())?;
            Expectation::Hold(service, reason, words.within()?)
        }
        "observation" => observation(words, spec)?,
        "decision" => {
            words.form = "expect decision svc outcome failed within 60s";
            let service = words.service(spec)?;
            words.literally("outcome")?;
            let outcome = closed(words, "outcome", &OUTCOMES.map(ToOwned::to_owned))?;
            Expectation::Decision(service, outcome, words.within()?)
        }
        "fault" => {
            words.form = "expect fault ec2:AssignPrivateIpAddresses error times 2 within 10s";
            let on = words.operation()?.to_owned();
            let kind = words.next("a kind of fault")?.to_owned();
            words.literally("times")?;
            let times = words.value("a count")?;
            Expectation::Fault { on, kind, times, within: words.within()? }
        }
        "hook" => hook(words, spec)?,
        "denied" => denied(words, spec)?,
        "moves" => moves(words, spec)?,
        "notices" => {
            words.form = "expect notices = 1";
            words.literally("=")?;
            Expectation::Notices(words.value("a count")?)
        }
        "alerts" => {
            words.form = "expect alerts = 0";
            words.literally("=")?;
            Expectation::Alerts(words.value("a count")?)
        }
        "alert" => {
            words.form = "expect alert no-standby within 60s";
            Expectation::Alert(words.next("a kind of alert")?.to_owned(), words.within()?)
        }
        "no" => no(words, spec)?,
        other => {
            let cure = "use holder, client, alias, hold, observation, decision, fault, hook, \
                        denied, moves, notices, alerts, alert or no";
            return Err(Wrong::new(format!("cannot expect `{other}`"), cure));
        }
    })
}

fn alias(
    service: ServiceName,
    words: &mut Words<'_>,
    spec: &ClusterSpec,
    present: bool,
) -> Result<Expectation, Wrong> {
    let node = words.host(spec)?;
    Ok(Expectation::Alias { service, node, present, within: words.within()? })
}

/// `no move of S for D` or `no alias S on N within D`.
fn no(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Expectation, Wrong> {
    words.form = "expect no move of svc for 20s` or `expect no alias svc on node-1 within 5s";
    match words.next("what must not be")? {
        "move" => {
            words.literally("of")?;
            let service = words.service(spec)?;
            words.literally("for")?;
            Ok(Expectation::NoMove(service, words.duration()?))
        }
        "alias" => {
            let service = words.service(spec)?;
            words.literally("on")?;
            alias(service, words, spec, false)
        }
        other => {
            let cure = format!("write `{}`", words.form);
            Err(Wrong::new(format!("cannot expect no `{other}`"), cure))
        }
    }
}

fn hook(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Expectation, Wrong> {
    words.form = "expect hook acquire of svc on node-2 within 10s";
    let occasion = closed(words, "hook", &HOOKS.map(ToOwned::to_owned))?;
    words.literally("of")?;
    let service = words.service(spec)?;
    words.literally("on")?;
    Ok(Expectation::Hook(occasion, service, words.host(spec)?, words.within()?))
}

fn denied(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Expectation, Wrong> {
    words.form = "expect denied node-2 events:PutEvents within 10s";
    let host = words.host(spec)?;
    let action = words.next("an action")?.to_owned();
    Ok(Expectation::Denied(host, action, words.within()?))
}

fn observation(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Expectation, Wrong> {
    words.form = "expect observation svc on node-2 is unhealthy within 20s";
    let service = words.service(spec)?;
    words.literally("on")?;
    let node = words.host(spec)?;
    words.literally("is")?;
    let verdict = closed(words, "verdict", &VERDICTS.map(ToOwned::to_owned))?;
    Ok(Expectation::Observation { service, node, verdict, within: words.within()? })
}

fn moves(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Expectation, Wrong> {
    words.form = "expect moves svc = 1";
    let service: ServiceName = words.service(spec)?;
    words.literally("=")?;
    Ok(Expectation::Moves(service, words.value("a count")?))
}

fn closed(words: &mut Words<'_>, what: &str, known: &[String]) -> Result<String, Wrong> {
    let word = words.next(what)?;
    if known.iter().any(|one| one == word) {
        return Ok(word.to_owned());
    }
    Err(Wrong::new(format!("no {what} `{word}`"), format!("use {}", known.join(", "))))
}

/// The closed list as it is written in records.
fn hold_reasons() -> Vec<String> {
    let written = HoldReason::ALL.iter().filter_map(|reason| serde_json::to_value(reason).ok());
    written.filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect()
}
