//! `vipward-region`: serves an embedded AWS region until it is told to stop.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use vipward_core::Exit;
use vipward_region::driver::{Running, StartError};
use vipward_region::world::{World, WorldError};

/// An embedded AWS region for the lab and the tests: EC2 addresses, CloudWatch, EventBridge,
/// Lambda and instance metadata. Its journal goes to stdout, one JSON object a line.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The world file: instances, template, delays, faults
    #[arg(long, value_name = "FILE")]
    world: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done when stderr is gone too.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            let wrong_world = error.is::<WorldError>()
                || matches!(error.downcast_ref(), Some(StartError::World(_)));
            if wrong_world { Exit::BadConfiguration.into() } else { ExitCode::FAILURE }
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let world = World::load(&arguments.world)?;
    let running = Running::start(&world, Box::new(std::io::stdout())).await?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        _ = terminated.recv() => {}
    }
    running.stop().await;
    Ok(())
}
