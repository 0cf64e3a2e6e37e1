//! One execution environment: a process, its Runtime API and its log lines.

use std::process::ExitStatus;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use vipward_region_model::journal::JournalEvent;
use vipward_region_model::lambda::{EnvironmentId, FunctionSpec, Invocation};

use super::environment_handle::Environment;
use super::http;
use super::launch::Launch;
use super::runtime_api::RuntimeApi;
use super::shared::{ProcessTask, Shared};

/// An environment and the life of its process, to be run as a task.
pub(super) fn create(
    shared: Arc<Shared>,
    id: EnvironmentId,
    function: FunctionSpec,
    launch: Launch,
) -> (Environment, ProcessTask) {
    let (invocations, waiting) = mpsc::unbounded_channel();
    let (alive, dropped) = oneshot::channel();
    let handle = Environment::new(invocations, alive);
    let life = async move {
        let ended = live(&shared, id, &function, &launch, waiting, dropped).await;
        let how = match ended {
            Ok(Some(status)) => describe(status),
            Ok(None) => return,
            Err(error) => format!("cannot run: {error}"),
        };
        shared.turn(|inner, now| {
            inner.region.lambda.exited(id, &how, now);
        });
    };
    (handle, Box::pin(life))
}

/// Runs the process to its end; `None` when it was ended from here.
async fn live(
    shared: &Arc<Shared>,
    id: EnvironmentId,
    function: &FunctionSpec,
    launch: &Launch,
    waiting: mpsc::UnboundedReceiver<Invocation>,
    dropped: oneshot::Receiver<()>,
) -> std::io::Result<Option<ExitStatus>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let api = Arc::new(RuntimeApi::new(shared.clone(), id, waiting));
    let mut child = launch.spawn(function, &address)?;

    let mut logs = JoinSet::new();
    if let Some(stdout) = child.stdout.take() {
        logs.spawn(pass_on(shared.clone(), function.name.clone(), stdout));
    }
    if let Some(stderr) = child.stderr.take() {
        logs.spawn(pass_on(shared.clone(), function.name.clone(), stderr));
    }
    let pid = child.id();
    let ended = tokio::select! {
        status = child.wait() => Some(status?),
        _ = dropped => None,
        () = http::serve(listener, api.handler()) => None,
    };
    kill(&mut child, pid).await;
    // The pipes close with the last process of the group: then every line has been told.
    while logs.join_next().await.is_some() {}
    Ok(ended)
}

/// Ends the process and all that it started.
async fn kill(child: &mut Child, pid: Option<u32>) {
    let group = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(group) = group {
        // The group may be empty by now.
        let _ = kill_process_group(group, Signal::KILL);
    }
    if let Err(error) = child.wait().await {
        tracing::warn!(%error, "function process not reaped");
    }
}

async fn pass_on(shared: Arc<Shared>, function: String, pipe: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        shared.journal(JournalEvent::FunctionLog { function: function.clone(), line });
    }
}

/// As Lambda words it.
fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => "signal: killed".to_owned(),
    }
}
