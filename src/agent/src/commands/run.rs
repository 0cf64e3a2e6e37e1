//! From the command line to a running agent.

use std::time::Duration;

use tokio::runtime;
use tokio::sync::mpsc;
use vipward_observe::reporter::Reporter;

use crate::aws::{Aws, authorities};
use crate::driver::run;
use crate::failure::Failure;
use crate::host::alias_report::WithAliases;
use crate::host::clock::Clock;
use crate::host::membership::Membership;
use crate::instance::metadata::InstanceMetadata;
use crate::lifecycle::Lifecycle;
use crate::local_api::metrics::MetricsListener;
use crate::local_api::orders::{Signals, WAITING_ORDERS};
use crate::local_api::socket::StatusSocket;
use crate::options::{DEFAULT_MEMORY, PathChoice, RunOptions};

/// A fresh random UUID at each read; see random(4).
const RANDOM_UUID: &str = "/proc/sys/kernel/random/uuid";

/// Checks the file and this host's place in it, then runs until told to stop.
///
/// # Errors
/// Whatever kept it from starting or running.
pub fn start(options: &RunOptions) -> Result<(), Failure> {
    let membership = Membership::load(&options.host)?;
    authorities::ensure_any()?;
    block_on(serve(options, &membership))?
}

/// Runs the future on this thread alone: the agent waits, and a host that serves needs its cores.
///
/// # Errors
/// When the runtime cannot start.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::system("start the runtime"))?;
    let output = runtime.block_on(future);
    // A name lookup or file read that hangs must not hold up the end.
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(output)
}

async fn serve(options: &RunOptions, membership: &Membership) -> Result<(), Failure> {
    let Membership { config, me } = membership;
    let clock = Clock::start();
    let start_id =
        std::fs::read_to_string(RANDOM_UUID).map_err(Failure::system("draw a start id"))?;
    let reporter = Reporter::new(config, me, start_id.trim().to_owned(), clock.now());
    let signals = Signals::listen().map_err(Failure::system("listen for signals"))?;
    let socket = StatusSocket::choose(options.socket.as_ref())?;
    let metrics = match options.metrics_listen {
        Some(address) => Some(MetricsListener::bind(address).await?),
        None => None,
    };
    let (give, orders) = mpsc::channel(WAITING_ORDERS);
    let tell = async {
        match socket {
            Some(socket) => socket.serve(give.clone()).await,
            None => std::future::pending().await,
        }
    };
    let measure = async {
        match metrics {
            Some(metrics) => metrics.serve(give.clone()).await,
            None => std::future::pending().await,
        }
    };
    tracing::info!(node = %me, cluster = %config.cluster, "agent started");
    let aws = Aws::new(&config.cluster, me);
    let outlet = WithAliases::new(aws, me, &options.alias_report);
    let memory = match &options.memory {
        Some(PathChoice::Off) => None,
        Some(PathChoice::At(path)) => Some(path.clone()),
        None => Some(DEFAULT_MEMORY.into()),
    };
    let lifecycle = Lifecycle::start(config, me, clock, InstanceMetadata::find(), memory);
    let reload = || membership.reload(&options.host);
    tokio::select! {
        ended = run(config, reporter, lifecycle, clock, &outlet, orders, reload) => ended?,
        never = signals.pass_on(give.clone()) => match never {},
        never = tell => match never {},
        never = measure => match never {},
    }
    tracing::info!(node = %me, cluster = %config.cluster, "agent stopped");
    Ok(())
}
