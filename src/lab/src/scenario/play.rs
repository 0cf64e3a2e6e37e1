//! Playing scenarios: does what they say and looks whether what they expect is seen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::check::{Check, CheckResult};
use super::words::seconds;
use super::{Action, Expectation, Faults, Scenario, Statement, Step};
use crate::cluster::{Cluster, ClusterError, Environment};
use crate::console::{Console, Tone};
use crate::folder::{Folder, FolderError};
use crate::observed;

/// How much of the log a failure shows.
const TAIL: usize = 40;

#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Wrong(#[from] Faults),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{}:{line}: {text}", .file.display())]
    Step { file: PathBuf, line: usize, text: String, source: ClusterError },
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl PlayError {
    /// Whether it lies with a scenario, before anything was started.
    pub fn is_wrong_scenario(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Wrong(_))
    }
}

/// How a scenario went: `Some` tells what was not as it had to be, with its place.
type Failure = Option<String>;

/// Plays all of them, one after the other; whether everything expected was seen.
pub async fn play(
    files: &[PathBuf],
    environment: &Environment,
    folder: &Path,
    keep: bool,
    console: &mut Console,
) -> Result<bool, PlayError> {
    // All are read first: a slip in the last one should not show after minutes.
    let scenarios: Result<Vec<_>, _> = files.iter().map(|file| read(file)).collect();
    let mut all_well = true;
    for (number, scenario) in (1..).zip(scenarios?) {
        let name = scenario.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        console.line(&format!("\n{}: {}", console.toned(Tone::Strong, &name), scenario.title));
        let mut folder = Folder::create_in(folder, &format!("{number}-{name}"))?;
        let missed = play_one(&scenario, environment, &folder.path, console).await;
        let well = matches!(missed, Ok(None));
        all_well &= well;
        folder.keep(keep || !well);
        if folder.is_kept() {
            console.line(&format!("    log and files: {}", folder.path.display()));
        }
        if let Some(missed) = missed? {
            console.line(&format!("    {}", console.toned(Tone::Bad, &missed)));
        }
    }
    Ok(all_well)
}

fn read(file: &Path) -> Result<Scenario, PlayError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| PlayError::Read { path: file.to_owned(), source })?;
    let beside = file.parent().unwrap_or(Path::new(""));
    let files = |path: &Path| std::fs::read_to_string(beside.join(path));
    Ok(Scenario::parse(file, &text, &files)?)
}

async fn play_one(
    scenario: &Scenario,
    environment: &Environment,
    folder: &Path,
    console: &mut Console,
) -> Result<Failure, PlayError> {
    let began = Instant::now();
    let mut cluster = Cluster::start(environment, scenario.spec.clone(), folder, console).await?;
    console.line(&format!("{:>8}  start", seconds(began.elapsed())));
    let missed = follow(scenario, &mut cluster, began, console).await;
    if !matches!(missed, Ok(None)) {
        show_tail(&cluster, console);
    }
    cluster.stop().await?;
    if matches!(missed, Ok(None)) {
        let good = console.toned(Tone::Good, "ok");
        console.line(&format!("    {good}: everything seen in {}", seconds(began.elapsed())));
    }
    missed
}

/// Does one step after the other, up to the first expectation that is not met; then no call may
/// have been refused.
async fn follow(
    scenario: &Scenario,
    cluster: &mut Cluster,
    began: Instant,
    console: &mut Console,
) -> Result<Failure, PlayError> {
    let mut since = cluster.ready_at();
    for step in &scenario.steps {
        let seen = match &step.statement {
            Statement::Act(action) => {
                since = cluster.log.mark();
                act(cluster, action).await.map(|()| Ok(String::new()))
            }
            Statement::Expect(expectation) => {
                Check { cluster, since, console }.run(expectation).await
            }
        };
        let Step { line, text, .. } = step;
        let (file, line) = (scenario.file.clone(), *line);
        let seen =
            seen.map_err(|source| PlayError::Step { file, line, text: text.clone(), source })?;
        tell(step, began, &seen, console);
        if let Err(instead) = seen {
            let file = scenario.file.display();
            return Ok(Some(format!("{file}:{line}: {text}  -> NOT SEEN: {instead}")));
        }
    }
    let refused = refused(scenario, cluster);
    let told = refused.iter().map(|(principal, action)| {
        let file = scenario.file.display();
        format!("{file}: {principal} was not allowed {action}: its role is too narrow")
    });
    Ok((!refused.is_empty()).then(|| told.collect::<Vec<_>>().join("\n    ")))
}

/// What IAM refused although nothing expects it. Much would seem to work without it: alerts for
/// one.
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

fn tell(step: &Step, began: Instant, seen: &CheckResult, console: &mut Console) {
    let at = format!("{:>8}", seconds(began.elapsed()));
    let (tone, told) = match seen {
        Ok(told) if told.is_empty() => (Tone::Faint, String::new()),
        Ok(told) => (Tone::Faint, format!("  -> {told}")),
        Err(told) => (Tone::Bad, format!("  -> NOT SEEN (line {}): {told}", step.line)),
    };
    let told = console.toned(tone, &told);
    console.line(&format!("{at}  {}{told}", step.text));
}

fn show_tail(cluster: &Cluster, console: &mut Console) {
    let mut records = cluster.log.sorted();
    // Every single call is in the file; here they would crowd out what happened.
    records.retain(|record| !matches!(record.what.as_str(), "api" | "metric-data"));
    console.line(&format!("    the last {TAIL} of {} records:", records.len()));
    for record in records.iter().skip(records.len().saturating_sub(TAIL)) {
        console.line(&format!("    {record}"));
    }
}

async fn act(cluster: &mut Cluster, action: &Action) -> Result<(), ClusterError> {
    match action {
        Action::KillService(service, node) => cluster.kill_service(service, node).await?,
        Action::KillAgent(node) => cluster.kill_agent(node).await?,
        Action::KillAlias(node) => cluster.kill_alias(node).await?,
        Action::KillNode(node) => cluster.kill_node(node).await?,
        Action::Cut(node) => cluster.cut(node).await?,
        Action::Restore(node) => cluster.restore_node(node).await?,
        Action::Instance(node, state) => cluster.set_instance(node, state).await?,
        Action::DeleteAlias(service, node) => cluster.delete_alias(service, node).await?,
        Action::ForgeHint { of, by } => cluster.forge_hint(of, by).await?,
        Action::Fault(fault) => cluster.add_fault(fault).await?,
        Action::ClearFaults => cluster.clear_faults().await?,
        Action::PutEvent(event) => cluster.put_event(event).await?,
        Action::Leave { node, patience, in_vain } => {
            cluster.leave(node, *patience, *in_vain).await?;
        }
        Action::Drain { node, patience, in_vain } => {
            cluster.drain(node, *patience, *in_vain).await?;
        }
        Action::Stay(node) => cluster.stay(node).await?,
        Action::StopAgent(node) => cluster.stop_agent(node).await?,
        Action::Promote(service, node) => cluster.promote(service, node).await?,
        Action::Announce(node, what) => cluster.announce(node, *what).await?,
    }
    Ok(())
}
