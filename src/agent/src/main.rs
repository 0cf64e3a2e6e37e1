//! `vipward-agent`: the node agent.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use vipward_agent::args::Args;
use vipward_agent::{log, start};

fn main() -> ExitCode {
    let args = Args::parse();
    log::init(args.log);
    match start::start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when even standard error is gone: the exit code still speaks.
            let _written = writeln!(io::stderr().lock(), "{error}");
            ExitCode::from(error.exit_code())
        }
    }
}
