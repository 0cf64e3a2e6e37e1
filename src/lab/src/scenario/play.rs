//! Playing scenarios: does what they say and looks whether what they expect is seen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::see::{Seen, Stage};
use super::{Action, Expectation, Faults, Scenario, Statement, Step};
use crate::cluster::{Cluster, ClusterError, Setting};
use crate::folder::{Folder, FolderError};
use crate::observed;
use crate::talk::{Talk, Tone};

/// How much of the log a failure shows.
const TAIL: usize = 40;

/// A scenario could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The scenario is wrong.
    #[error("{0}")]
    Wrong(#[from] Faults),
    /// There is no folder to work in.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An event is not JSON.
    #[error("{path} is not JSON")]
    Event {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The cluster did not do its part.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Plays all of them, one after the other; whether everything expected was seen.
pub async fn play(
    files: &[PathBuf],
    setting: &Setting,
    keep: bool,
    talk: &mut Talk,
) -> Result<bool, PlayError> {
    // All are read first: a slip in the last one should not show after minutes.
    let scenarios: Result<Vec<_>, _> = files.iter().map(|file| read(file)).collect();
    let mut all_well = true;
    for scenario in scenarios? {
        let mut folder = Folder::create()?;
        let seen = play_one(&scenario, setting, &folder.path, talk).await;
        all_well &= matches!(seen, Ok(true));
        folder.keep(keep || !matches!(seen, Ok(true)));
        if folder.is_kept() {
            talk.line(&format!("    log and files: {}", folder.path.display()));
        }
        seen?;
    }
    Ok(all_well)
}

fn read(file: &Path) -> Result<Scenario, PlayError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| PlayError::Read { path: file.to_owned(), source })?;
    Ok(Scenario::parse(file, &text)?)
}

async fn play_one(
    scenario: &Scenario,
    setting: &Setting,
    folder: &Path,
    talk: &mut Talk,
) -> Result<bool, PlayError> {
    let name = scenario.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    talk.line(&format!("\n{}: {}", talk.toned(Tone::Strong, &name), scenario.title));
    let began = Instant::now();
    let mut cluster = Cluster::start(setting, scenario.wish.clone(), folder, talk).await?;
    talk.line(&format!("{:>8}  start", seconds(began.elapsed())));
    let held = follow(scenario, &mut cluster, began, talk).await;
    if !matches!(held, Ok(true)) {
        show_tail(&cluster, talk);
    }
    cluster.stop().await?;
    if matches!(held, Ok(true)) {
        let good = talk.toned(Tone::Good, "ok");
        talk.line(&format!("    {good}: everything seen in {}", seconds(began.elapsed())));
    }
    held
}

/// Does one step after the other, up to the first expectation that is not met; whether there was none.
async fn follow(
    scenario: &Scenario,
    cluster: &mut Cluster,
    began: Instant,
    talk: &mut Talk,
) -> Result<bool, PlayError> {
    let mut since = cluster.ready_at();
    for step in &scenario.steps {
        let seen = match &step.statement {
            Statement::Act(action) => {
                since = cluster.log.mark();
                act(cluster, action, &scenario.file).await?;
                Ok(String::new())
            }
            Statement::Expect(expectation) => {
                Stage { cluster, since, talk }.see(expectation).await?
            }
        };
        tell(step, began, &seen, talk);
        if seen.is_err() {
            return Ok(false);
        }
    }
    let refused = refused(scenario, cluster);
    for (principal, action) in &refused {
        let told = format!("    {principal} was not allowed {action}: its role is too narrow");
        talk.line(&talk.toned(Tone::Bad, &told));
    }
    Ok(refused.is_empty())
}

/// What IAM refused although nothing expects it. Much would seem to work without it: alerts for one.
fn refused(scenario: &Scenario, cluster: &Cluster) -> BTreeSet<(String, String)> {
    let expected = scenario.steps.iter().filter_map(|step| match &step.statement {
        Statement::Expect(Expectation::Denied(host, action, _)) => {
            Some((cluster.layout.host(host)?.access_key.clone(), action.clone()))
        }
        _ => None,
    });
    let expected: Vec<_> = expected.collect();
    let refused = cluster.log.read(observed::denials).into_iter();
    refused.filter(|one| !expected.contains(one)).collect()
}

/// A duration as it is told.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn tell(step: &Step, began: Instant, seen: &Seen, talk: &mut Talk) {
    let at = format!("{:>8}", seconds(began.elapsed()));
    let (tone, told) = match seen {
        Ok(told) if told.is_empty() => (Tone::Faint, String::new()),
        Ok(told) => (Tone::Faint, format!("  -> {told}")),
        Err(told) => (Tone::Bad, format!("  -> NOT SEEN (line {}): {told}", step.line)),
    };
    let told = talk.toned(tone, &told);
    talk.line(&format!("{at}  {}{told}", step.text));
}

fn show_tail(cluster: &Cluster, talk: &mut Talk) {
    let mut records = cluster.log.sorted();
    // Every single call is in the file; here they would crowd out what happened.
    records.retain(|record| !matches!(record.what.as_str(), "api" | "metric-data"));
    talk.line(&format!("    the last {TAIL} of {} records:", records.len()));
    for record in records.iter().skip(records.len().saturating_sub(TAIL)) {
        talk.line(&format!("    {record}"));
    }
}

async fn act(cluster: &mut Cluster, action: &Action, file: &Path) -> Result<(), PlayError> {
    match action {
        Action::KillService(service, node) => cluster.kill_service(service, node).await?,
        Action::KillAgent(node) => cluster.kill_agent(node).await?,
        Action::KillNode(node) => cluster.kill_node(node).await?,
        Action::Cut(node) => cluster.cut(node).await?,
        Action::Restore(node) => cluster.restore_node(node).await?,
        Action::Instance(node, state) => cluster.set_instance(node, state).await?,
        Action::DeleteAlias(service, node) => cluster.delete_alias(service, node).await?,
        Action::ForgeHint { of, by } => cluster.forge_hint(of, by).await?,
        Action::Fault(fault) => cluster.add_fault(fault).await?,
        Action::ClearFaults => cluster.clear_faults().await?,
        Action::PutEvent(event) => {
            let path = file.parent().unwrap_or(Path::new("")).join(event);
            let text = std::fs::read_to_string(&path)
                .map_err(|source| PlayError::Read { path: path.clone(), source })?;
            let event: Value =
                serde_json::from_str(&text).map_err(|source| PlayError::Event { path, source })?;
            cluster.put_event(&event).await?;
        }
    }
    Ok(())
}
