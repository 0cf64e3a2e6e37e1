//! `vipward-lab`: demo, scenarios, and the small processes that a lab needs inside.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use vipward_lab::binaries::Binaries;
use vipward_lab::cluster::Setting;
use vipward_lab::fabric::FabricKind;
use vipward_lab::isolation::{self, Ground};
use vipward_lab::options::{Command, Manner, Options};
use vipward_lab::{client, demo, scenario, serve, talk::Talk};

/// One thread: children die with the thread that started them, and a lab mostly waits.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(Options::parse()).await.unwrap_or_else(|error| {
        // Should standard error be closed, the exit code still says it.
        let _ = writeln!(std::io::stderr().lock(), "error: {error:#}");
        ExitCode::FAILURE
    })
}

async fn run(Options { command, manner }: Options) -> anyhow::Result<ExitCode> {
    match &command {
        Command::Serve { name, listen } => {
            serve::serve(name, *listen)
                .await
                .with_context(|| format!("cannot listen on {listen}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Client { service, targets } => {
            client::run(*service, targets.clone()).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Demo { .. } | Command::Run { .. } => {}
    }
    let ground = isolation::survey(manner.fabric).await?;
    if ground.fabric == FabricKind::Namespaces && !manner.inside {
        let own_path = std::env::current_exe().context("cannot find this program")?;
        let arguments = std::iter::once("--inside".into()).chain(std::env::args_os().skip(1));
        return Ok(isolation::enclose(&own_path, arguments.collect()).await?);
    }
    tokio::select! {
        done = play(&command, &manner, &ground) => done,
        _ = tokio::signal::ctrl_c() => {
            // Returning drops the cluster, and with it every process.
            let _ = writeln!(std::io::stderr().lock(), "\ninterrupted");
            Ok(ExitCode::from(130))
        }
    }
}

async fn play(command: &Command, manner: &Manner, ground: &Ground) -> anyhow::Result<ExitCode> {
    if manner.inside {
        isolation::furnish().await?;
    }
    let setting =
        Setting { binaries: binaries(manner)?, fabric: ground.fabric, path: manner.path.clone() };
    let mut talk = Talk::new(!manner.no_color);
    talk.line(&format!("fabric: {}", ground.fabric.describe()));
    if !ground.because.is_empty() {
        talk.line(&format!("        because {}", ground.because));
    }
    let all_well = match command {
        Command::Demo { service } => demo::show(*service, &setting, manner.keep, &mut talk).await?,
        Command::Run { scenarios } => {
            scenario::play(scenarios, &setting, manner.keep, &mut talk).await?
        }
        Command::Serve { .. } | Command::Client { .. } => true,
    };
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn binaries(manner: &Manner) -> anyhow::Result<Binaries> {
    let own_path = std::env::current_exe().context("cannot find this program")?;
    let beside = own_path.parent().map(ToOwned::to_owned).unwrap_or_default();
    let folder = manner.bin_dir.clone().unwrap_or(beside);
    Ok(Binaries::find(&folder)?)
}
