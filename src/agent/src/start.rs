//! From the command line to a running agent.

use std::io::{self, Write};
use std::time::Duration;

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use vipward_core::{Config, Faults, NodeName};

use crate::args::Args;
use crate::aws::Aws;
use crate::clock::Clock;
use crate::identity;
use crate::reporter::Reporter;
use crate::run::{WatchEnded, run};
use crate::target::targets;

/// A fresh random UUID at each read; see random(4).
const RANDOM_UUID: &str = "/proc/sys/kernel/random/uuid";

/// Why the agent did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The file, or this host's place in it, is not right.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The operating system refused something.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Its answer.
        source: io::Error,
    },
    /// See [`WatchEnded`].
    #[error(transparent)]
    WatchEnded(#[from] WatchEnded),
}

impl AgentError {
    /// The exit code: 3 for a bad configuration, 1 for all else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Faults(_) => Faults::EXIT_CODE,
            Self::System { .. } | Self::WatchEnded(_) => 1,
        }
    }

    fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

/// Checks the file and this host's place in it, then runs until told to stop (unless `--check`).
///
/// # Errors
/// Whatever kept it from starting or running.
pub fn start(args: &Args) -> Result<(), AgentError> {
    let origin = args.config.display().to_string();
    let config = Config::load(&args.config, |path| std::fs::read_to_string(path))?;
    let local = identity::local_addresses().map_err(AgentError::system("list local addresses"))?;
    let me = identity::find(&config, &origin, args.node.as_ref(), &local)?;
    if args.check {
        return say_checked(&config, &me).map_err(AgentError::system("write to standard output"));
    }
    // One thread: the agent waits, and a host that serves needs its cores.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AgentError::system("start the runtime"))?;
    let result = runtime.block_on(serve(&config, &me));
    // A name lookup or file read that hangs must not hold up the end.
    runtime.shutdown_timeout(Duration::ZERO);
    result
}

fn say_checked(config: &Config, me: &NodeName) -> io::Result<()> {
    let (own, others): (Vec<_>, Vec<_>) =
        targets(config).into_iter().partition(|target| target.subject == *me);
    writeln!(
        io::stdout().lock(),
        "{me} of cluster {}: probes {} own and {} other services",
        config.cluster,
        own.len(),
        others.len()
    )
}

async fn serve(config: &Config, me: &NodeName) -> Result<(), AgentError> {
    let clock = Clock::start();
    let start_id =
        std::fs::read_to_string(RANDOM_UUID).map_err(AgentError::system("draw a start id"))?;
    let reporter = Reporter::new(config, me, start_id.trim().to_owned(), clock.now());
    let shutdown = asked_to_stop().map_err(AgentError::system("listen for signals"))?;
    tracing::info!(node = %me, cluster = %config.cluster, "agent started");
    let outlet = Aws::new(&config.cluster, me);
    run(config, reporter, clock, &outlet, shutdown).await?;
    tracing::info!(node = %me, cluster = %config.cluster, "agent stopped");
    Ok(())
}

fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
