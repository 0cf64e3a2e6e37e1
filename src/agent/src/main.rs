//! `vipward-agent`: the node agent.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vipward_agent::args::{Args, Command};
use vipward_agent::commands::{check, leave, run, status};
use vipward_agent::host::log;
use vipward_core::Exit;
use vipward_core::text::complaint;

fn main() -> ExitCode {
    let ended = match Args::parse().into_command() {
        Command::Run(args) => {
            log::init(args.log);
            run::start(&args).map(|()| Exit::Fine)
        }
        Command::Check(args) => check::check(&args),
        Command::Leave(args) => leave::leave(&args),
        Command::Stay(args) => leave::stay(&args),
        Command::Status(args) => status::status(&args),
    };
    let exit = ended.unwrap_or_else(|failure| {
        // Should standard error be closed, the exit code still says it.
        let _ = io::stderr().lock().write_all(complaint(&failure, failure.hint()).as_bytes());
        failure.exit()
    });
    exit.into()
}
