//! `vipward-lab`: demo, scenarios, and the small processes that a lab needs inside.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use vipward_core::text::complaint;
use vipward_lab::binaries::Binaries;
use vipward_lab::cluster::Environment;
use vipward_lab::fabric_kind::FabricKind;
use vipward_lab::failure::Failure;
use vipward_lab::folder::Folder;
use vipward_lab::interrupt::{Interrupted, Interrupts};
use vipward_lab::isolation::{self, ChosenFabric, Sandbox};
use vipward_lab::options::{Command, GlobalOptions, Options};
use vipward_lab::{client, console::Console, demo, scenario, serve};

/// The exit code when nobody reads any more what the lab says: as of a program that SIGPIPE ends.
const UNHEARD: u8 = 141;

/// One thread: children die with the thread that started them, and a lab mostly waits.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(Options::parse()).await.unwrap_or_else(|failure| {
        // Should standard error be closed, the exit code still says it.
        let _ = io::stderr().lock().write_all(complaint(&failure, failure.hint()).as_bytes());
        failure.exit().into()
    })
}

async fn run(Options { command, global }: Options) -> Result<ExitCode, Failure> {
    match &command {
        Command::Serve { name, listen } => {
            serve::serve(name, *listen)
                .await
                .map_err(Failure::system(format!("listen on {listen}")))?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Client { service, targets } => {
            let asked = client::run(*service, targets.clone()).await;
            asked.map_err(|ended| Failure::system("ask the VIPs")(ended.into()))?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Demo { .. } | Command::Run { .. } => {}
    }
    match &global.inside {
        Some(folder) => inside(&command, &global, folder).await,
        None => outside(&command, &global).await,
    }
}

/// Owns the lab's folder and hears the signals that are meant for it.
async fn outside(command: &Command, global: &GlobalOptions) -> Result<ExitCode, Failure> {
    let mut interrupts = Interrupts::listen().map_err(Failure::system("listen for signals"))?;
    let mut folder = Folder::create()?;
    let chosen = tokio::select! {
        biased;
        interrupted = interrupts.next() => return Ok(say(interrupted)),
        chosen = isolation::choose_fabric(global.fabric) => chosen?,
    };
    let done = if chosen.fabric == FabricKind::Namespaces {
        let own_path = own_path()?;
        let inside = [OsString::from("--inside"), folder.path.clone().into()];
        let arguments = inside.into_iter().chain(std::env::args_os().skip(1)).collect();
        let mut sandbox = Sandbox::start(&own_path, arguments).map_err(no_sandbox())?;
        tokio::select! {
            biased;
            interrupted = interrupts.next() => {
                sandbox.cancel().await.map(|()| say(interrupted)).map_err(no_sandbox())
            }
            ended = sandbox.ended() => ended.map_err(no_sandbox()),
        }
    } else {
        tokio::select! {
            biased;
            // The other future is dropped, with it the cluster, and with that every process.
            interrupted = interrupts.next() => Ok(say(interrupted)),
            done = play(command, global, &chosen, &folder.path) => done,
        }
    };
    folder.keep_what_is_left();
    done
}

fn say(interrupted: Interrupted) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "\ninterrupted");
    interrupted.exit_code()
}

async fn inside(
    command: &Command,
    global: &GlobalOptions,
    folder: &Path,
) -> Result<ExitCode, Failure> {
    isolation::prepare().await.map_err(no_sandbox())?;
    let chosen =
        ChosenFabric { fabric: FabricKind::Namespaces, reason: String::new(), claim: None };
    tokio::select! {
        biased;
        cancelled = isolation::cancelled() => {
            cancelled.map_err(Failure::system("hear the lab outside"))?;
            Ok(ExitCode::FAILURE)
        }
        done = play(command, global, &chosen, folder) => done,
    }
}

async fn play(
    command: &Command,
    global: &GlobalOptions,
    chosen: &ChosenFabric,
    folder: &Path,
) -> Result<ExitCode, Failure> {
    let environment = Environment {
        binaries: Binaries::find(&folder_of_binaries(global)?)?,
        fabric: chosen.fabric,
        path: global.path.clone(),
    };
    let mut console = Console::new(!global.no_color);
    let unheard = console.unheard();
    console.line(&format!("fabric: {}", chosen.fabric.describe()));
    if !chosen.reason.is_empty() {
        console.line(&format!("        because {}", chosen.reason));
    }
    tokio::select! {
        () = unheard.notified() => Ok(ExitCode::from(UNHEARD)),
        all_well = put_on(command, &environment, folder, global.keep, &mut console) => {
            Ok(if all_well? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// Whether all went as it should.
async fn put_on(
    command: &Command,
    environment: &Environment,
    folder: &Path,
    keep: bool,
    console: &mut Console,
) -> Result<bool, Failure> {
    Ok(match command {
        Command::Demo { service } => {
            demo::show(*service, environment, folder, keep, console).await?
        }
        Command::Run { scenarios } => {
            scenario::play(scenarios, environment, folder, keep, console).await?
        }
        Command::Serve { .. } | Command::Client { .. } => true,
    })
}

fn folder_of_binaries(global: &GlobalOptions) -> Result<PathBuf, Failure> {
    let beside = own_path()?.parent().map(ToOwned::to_owned).unwrap_or_default();
    Ok(global.bin_dir.clone().unwrap_or(beside))
}

fn own_path() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(Failure::system("find this program"))
}

fn no_sandbox() -> impl FnOnce(io::Error) -> Failure {
    Failure::system("run the lab in namespaces of its own")
}
