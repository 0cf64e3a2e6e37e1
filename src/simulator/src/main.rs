//! `vipward-simulator`: the production code in virtual time.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vipward_core::text::complaint;
use vipward_simulator::options::Options;
use vipward_simulator::run::run;

fn main() -> ExitCode {
    let exit = run(Options::parse().command, &mut io::stdout().lock()).unwrap_or_else(|failure| {
        // Should standard error be closed, the exit code still says it.
        let _ = io::stderr().lock().write_all(complaint(&failure, None).as_bytes());
        failure.exit()
    });
    exit.into()
}
