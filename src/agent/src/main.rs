//! `vipward-agent`: the node agent.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vipward_agent::commands::{check, leave, run, status};
use vipward_agent::host::log;
use vipward_agent::options::{Command, Options};
use vipward_core::Exit;
use vipward_core::text::complaint;

fn main() -> ExitCode {
    let ended = match Options::parse().into_command() {
        Command::Run(options) => {
            log::init(options.log);
            run::start(&options).map(|()| Exit::Fine)
        }
        Command::Check(options) => check::check(&options),
        Command::Leave(options) => leave::leave(&options),
        Command::Stay(options) => leave::stay(&options),
        Command::Status(options) => status::status(&options),
    };
    let exit = ended.unwrap_or_else(|failure| {
        // Should standard error be closed, the exit code still says it.
        let _ = io::stderr().lock().write_all(complaint(&failure, failure.hint()).as_bytes());
        failure.exit()
    });
    exit.into()
}
