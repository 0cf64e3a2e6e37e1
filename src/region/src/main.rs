//! `vipward-region`: serves an embedded AWS region until it is told to stop.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use vipward_core::Exit;
use vipward_core::text::complaint;
use vipward_region::driver::{Running, StartError};
use vipward_region::world::{World, WorldError};

/// An embedded AWS region for the lab and the tests: EC2 addresses, CloudWatch, EventBridge,
/// Lambda and instance metadata. Its journal goes to stdout, one JSON object a line.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The world file: instances, template, delays, faults
    #[arg(long, value_name = "FILE")]
    world: PathBuf,
}

/// Why the region is not served.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

impl Failure {
    const fn exit(&self) -> Exit {
        match self {
            Self::World(_) | Self::Start(StartError::World(_)) => Exit::BadConfiguration,
            _ => Exit::Failed,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Should standard error be closed, the exit code still says it.
            let _ = io::stderr().lock().write_all(complaint(&failure, None).as_bytes());
            failure.exit().into()
        }
    }
}

async fn run(options: &Options) -> Result<(), Failure> {
    let mut terminated = signal(SignalKind::terminate()).map_err(Failure::Signals)?;
    let world = World::load(&options.world)?;
    let running = Running::start(&world, Box::new(std::io::stdout())).await?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped.map_err(Failure::Signals)?,
        _ = terminated.recv() => {}
    }
    running.stop().await;
    Ok(())
}
