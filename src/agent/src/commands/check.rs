//! `vipward-agent check`: finds this host in the file, runs each probe once, and shows what it saw.

use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use vipward_core::outcome::{Lag, Outcome, ProbeFailure, Replication};
use vipward_core::text::{NOTHING, aligned};
use vipward_core::{ClusterName, Exit, NodeName, ServiceName};
use vipward_observe::target::{Target, targets};
use vipward_probes::probe;

use crate::commands::run;
use crate::failure::Failure;
use crate::hooks::ready::{self, Readiness};
use crate::host::membership::Membership;
use crate::options::{CheckOptions, OutputFormat};
use crate::probing::watches::WatchEnded;

/// What all probes saw.
#[derive(Debug, Clone, Serialize)]
struct Report {
    cluster: ClusterName,
    node: NodeName,
    probes: Vec<Probed>,
    hooks: Vec<Readiness>,
}

/// What one probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Probed {
    subject: NodeName,
    service: ServiceName,
    own: bool,
    address: String,
    kind: &'static str,
    result: &'static str,
    role: Option<&'static str>,
    lag: Option<String>,
    took_ms: u64,
    cause: Option<String>,
}

/// Prints what each probe saw; how the program ends.
///
/// # Errors
/// When the file or this host's place in it is not right, and nothing was probed.
pub fn check(options: &CheckOptions) -> Result<Exit, Failure> {
    let Membership { config, me } = Membership::load(&options.host)?;
    let probes = run::block_on(probe_all(targets(&config, &me), me.clone()))??;
    let hooks = ready::of_all(&config, &me);
    let all_pass = probes.iter().all(|probed| probed.result == "pass")
        && hooks.iter().all(|hook| hook.obstacle.is_none());
    let report = Report { cluster: config.cluster, node: me, probes, hooks };
    let said = match options.output {
        OutputFormat::Text => text(&report),
        OutputFormat::Json => json(&report).map_err(Failure::system("write the report"))?,
    };
    io::stdout()
        .lock()
        .write_all(said.as_bytes())
        .map_err(Failure::system("write to standard output"))?;
    Ok(if all_pass { Exit::Fine } else { Exit::Degraded })
}

/// All at once, so that several silent hosts cost one timeout; in the order of the file.
async fn probe_all(targets: Vec<Target>, me: NodeName) -> Result<Vec<Probed>, WatchEnded> {
    let start = |target: Target| {
        let own = target.subject == me;
        tokio::spawn(async move {
            let begun = Instant::now();
            let outcome = probe(target.address, &target.check).await;
            Probed::new(target, own, &outcome, begun.elapsed())
        })
    };
    let running: Vec<_> = targets.into_iter().map(start).collect();
    let mut probes = Vec::new();
    for probe in running {
        probes.push(probe.await.map_err(|_| WatchEnded)?);
    }
    Ok(probes)
}

impl Probed {
    fn new(target: Target, own: bool, outcome: &Outcome, took: Duration) -> Self {
        let result = match outcome {
            Ok(_) => "pass",
            Err(ProbeFailure::Failed(_)) => "fail",
            Err(ProbeFailure::TimedOut(_)) => "timeout",
            Err(ProbeFailure::Inconclusive(_)) => "error",
        };
        let role = outcome.as_ref().ok().and_then(|pass| pass.role).map(|role| match role {
            Replication::Primary => "primary",
            Replication::Replica => "replica",
        });
        Self {
            own,
            address: target.address.to_string(),
            kind: target.check.kind.name(),
            result,
            role,
            lag: outcome.as_ref().ok().and_then(|pass| pass.lag).map(shown),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            cause: outcome.as_ref().err().map(ToString::to_string),
            subject: target.subject,
            service: target.service,
        }
    }

    fn row(&self) -> Vec<String> {
        let own = if self.own { " (own)" } else { "" };
        vec![
            format!("{}{own}", self.subject),
            self.service.to_string(),
            self.kind.to_owned(),
            self.result.to_owned(),
            self.role.unwrap_or(NOTHING).to_owned(),
            self.lag.clone().unwrap_or_else(|| NOTHING.to_owned()),
            format!("{} ms", self.took_ms),
            self.cause.clone().unwrap_or_else(|| NOTHING.to_owned()),
        ]
    }
}

fn shown(lag: Lag) -> String {
    match lag {
        Lag::Behind(lag) => format!("{:.1} s", lag.as_secs_f64()),
        Lag::Severed => "severed".to_owned(),
        Lag::NotReplicating => "not replicating".to_owned(),
    }
}

fn text(report: &Report) -> String {
    let headings = ["SUBJECT", "SERVICE", "KIND", "RESULT", "ROLE", "LAG", "TIME", "CAUSE"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    rows.extend(report.probes.iter().map(Probed::row));
    let own = report.probes.iter().filter(|probed| probed.own).count();
    let others = report.probes.len() - own;
    let Report { cluster, node, .. } = report;
    format!(
        "{node} of cluster {cluster}: probes {own} own and {others} other services\n\n{}{}",
        aligned(&rows, ""),
        hooks(&report.hooks)
    )
}

fn hooks(hooks: &[Readiness]) -> String {
    if hooks.is_empty() {
        return String::new();
    }
    let headings = ["HOOK", "OF", "PROGRAM", "USER", "CAUSE"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    rows.extend(hooks.iter().map(|hook| {
        let or_nothing = |cell: &Option<String>| cell.clone().unwrap_or_else(|| NOTHING.to_owned());
        vec![
            hook.occasion.word().to_owned(),
            hook.service.to_string(),
            hook.program.clone(),
            or_nothing(&hook.user),
            or_nothing(&hook.obstacle),
        ]
    }));
    format!("\n{}", aligned(&rows, ""))
}

fn json(report: &Report) -> io::Result<String> {
    Ok(serde_json::to_string(report)? + "\n")
}

#[cfg(test)]
mod tests;
