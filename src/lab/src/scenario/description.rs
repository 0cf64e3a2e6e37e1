//! The cluster that a scenario describes: read setting by setting, then judged as a whole.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum as _;
use jiff::SignedDuration;
use vipward_core::config::Role;
use vipward_core::name::BadName;
use vipward_core::{Config, ServiceName};

use super::Fault;
use super::words::{Words, Wrong};
use crate::fabric_kind::FabricKind;
use crate::layout::{ClusterSpec, Layout, MOST, MOST_SERVICES};
use crate::service::ServiceKind;

/// The region's delays that are durations.
const DURATIONS: [&str; 9] = [
    "metric_ingestion",
    "alarm_lag",
    "event_delivery",
    "describe_lag",
    "imds_lag",
    "lambda_init",
    "lambda_error_retry",
    "lambda_throttle_first",
    "lambda_throttle_most",
];
/// The one that is a count of periods.
const COUNT: &str = "alarm_evaluation_range_extra";

/// What AWS answers where its documentation leaves that open, and the answers.
const ANSWERS: [(&str, [&str; 2]); 1] = [("assigned_again", ["accepted", "refused"])];

/// What was described so far, and where policy settings were.
#[derive(Debug, Default)]
pub struct Description {
    pub spec: ClusterSpec,
    policy_lines: BTreeMap<String, usize>,
}

impl Description {
    pub fn cluster(&mut self, words: &mut Words<'_>) -> Result<(), Wrong> {
        let spec = &mut self.spec;
        while let Some((key, value)) = pair(words)? {
            match key {
                "nodes" => spec.nodes = number(key, value, 2)?,
                "witnesses" => spec.witnesses = number(key, value, 0)?,
                "services" => spec.services = services(value)?,
                "service" => {
                    spec.kind = ServiceKind::from_str(value, false).map_err(|_| {
                        Wrong::new(format!("no service `{value}`"), "use builtin or redis")
                    })?;
                }
                "hints" => spec.hints = switch(key, value)?,
                "role" => {
                    spec.follow = match value {
                        "any" => Role::Any,
                        "primary" => Role::Primary,
                        _ => {
                            let cure = "write role=any or role=primary";
                            return Err(Wrong::new(format!("role={value}"), cure));
                        }
                    };
                }
                "group" => {
                    let group = value.parse();
                    let wrong = |error: BadName| Wrong::new(format!("{error}"), "write group=db");
                    spec.group = Some(group.map_err(wrong)?);
                }
                "hooks" => spec.hooks = switch(key, value)?,
                _ => {
                    let cure = "use nodes, witnesses, services, service, hints, role, group, hooks";
                    return Err(Wrong::new(format!("`{key}` is not known"), cure));
                }
            }
        }
        if spec.follow == Role::Primary && spec.kind == ServiceKind::Builtin {
            let what = "role=primary, and the lab's own service has no primary";
            return Err(Wrong::new(what, "add service=redis before it"));
        }
        if spec.group.is_some() && spec.services.len() < 2 {
            let what = "there is a group, and one service";
            return Err(Wrong::new(what, "add services=mysql,redis"));
        }
        Ok(())
    }

    /// Reads what comes after `policy`; what the settings mean is judged with the whole.
    pub fn policy(&mut self, line: usize, words: &mut Words<'_>) -> Result<(), Wrong> {
        while let Some((key, value)) = pair(words)? {
            self.policy_lines.insert(key.to_owned(), line);
            self.spec.policy.push((key.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    pub fn delays(&mut self, words: &mut Words<'_>) -> Result<(), Wrong> {
        while let Some((key, value)) = pair(words)? {
            let duration = || value.parse::<SignedDuration>().ok();
            let (right, form) = match key {
                COUNT => (value.parse::<u32>().is_ok(), "3"),
                _ if DURATIONS.contains(&key) => {
                    (duration().is_some_and(|duration| !duration.is_negative()), "2s")
                }
                _ => {
                    let cure = format!("use {}, {COUNT}", DURATIONS.join(", "));
                    return Err(Wrong::new(format!("`{key}` is not known"), cure));
                }
            };
            if !right {
                return Err(Wrong::new(format!("{key}={value}"), format!("write {key}={form}")));
            }
            self.spec.delays.push((key.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    pub fn answers(&mut self, words: &mut Words<'_>) -> Result<(), Wrong> {
        while let Some((key, value)) = pair(words)? {
            let Some((_, known)) = ANSWERS.iter().find(|(name, _)| *name == key) else {
                let names = ANSWERS.map(|(name, _)| name).join(", ");
                return Err(Wrong::new(format!("`{key}` is not known"), format!("use {names}")));
            };
            if !known.contains(&value) {
                let cure = format!("use {}", known.join(" or "));
                return Err(Wrong::new(format!("{key}={value}"), cure));
            }
            self.spec.answers.push((key.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    /// What is wrong with the `vipward.toml` of this cluster, told of the scenario's lines.
    pub fn faults(&self) -> Vec<Fault> {
        // Fabrics differ in addresses only: either will do.
        let text = Layout::new(self.spec.clone(), FabricKind::Namespaces).vipward_toml();
        let Err(faults) = Config::parse("vipward.toml", &text) else {
            return Vec::new();
        };
        // All that is not a policy setting was judged when it was read.
        let last = self.policy_lines.values().max().copied().unwrap_or(1);
        let told = |fault: &vipward_core::config::Fault| Fault {
            line: fault.line.and_then(|line| self.policy_line(&text, line)).unwrap_or(last),
            what: fault.what.clone(),
            cure: fault.cure.clone(),
        };
        faults.iter().map(told).collect()
    }

    /// The scenario's line that says what a line of `vipward.toml` says, if that is a policy
    /// setting.
    fn policy_line(&self, text: &str, line: usize) -> Option<usize> {
        let mut head = text.lines().take_while(|line| !line.starts_with("[["));
        let (key, _) = head.nth(line.checked_sub(1)?)?.split_once(" = ")?;
        self.policy_lines.get(key).copied()
    }
}

fn pair<'l>(words: &mut Words<'l>) -> Result<Option<(&'l str, &'l str)>, Wrong> {
    let Some(word) = words.maybe() else {
        return Ok(None);
    };
    let split = word.split_once('=');
    split.map(Some).ok_or_else(|| Wrong::new(format!("`{word}` has no value"), "write `key=value`"))
}

fn services(value: &str) -> Result<Vec<ServiceName>, Wrong> {
    let names: Result<Vec<ServiceName>, _> = value.split(',').map(str::parse).collect();
    let names =
        names.map_err(|error| Wrong::new(format!("{error}"), "write services=mysql,redis"))?;
    let distinct = names.iter().collect::<BTreeSet<_>>().len();
    if distinct < names.len() || distinct > usize::from(MOST_SERVICES) {
        let cure = format!("name 1 to {MOST_SERVICES} services, each once");
        return Err(Wrong::new(format!("services={value}"), cure));
    }
    Ok(names)
}

fn number(key: &str, value: &str, least: u8) -> Result<u8, Wrong> {
    let parsed = value.parse().ok().filter(|number| (least..=MOST).contains(number));
    parsed.ok_or_else(|| Wrong::new(format!("{key}={value}"), format!("use {least} to {MOST}")))
}

fn switch(key: &str, value: &str) -> Result<bool, Wrong> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Wrong::new(format!("{key}={value}"), format!("write {key}=on or {key}=off"))),
    }
}
