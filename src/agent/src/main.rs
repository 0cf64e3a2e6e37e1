//! `vipward-agent`: the node agent.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use vipward_agent::args::{Args, Command};
use vipward_agent::commands::{check, leave, run, status};
use vipward_agent::failure::AgentError;
use vipward_agent::host::log;
use vipward_core::Exit;

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
    ended.map_or_else(|error| fail(&error), ExitCode::from)
}

fn fail(error: &AgentError) -> ExitCode {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    // Nothing is left to do when even standard error is gone: the exit code still speaks.
    let _written = writeln!(io::stderr().lock(), "error: {error}{hint}");
    ExitCode::from(error.exit())
}
