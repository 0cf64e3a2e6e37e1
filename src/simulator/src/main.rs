//! `vipward-simulator`: the production code in virtual time.

use std::process::ExitCode;

use clap::Parser as _;
use vipward_simulator::options::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    match vipward_simulator::run::run(options.command, &mut std::io::stdout().lock()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Should standard error be closed, the exit code still says it.
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("error: {error:#}\n"),
            );
            ExitCode::FAILURE
        }
    }
}
