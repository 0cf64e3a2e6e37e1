//! `vipward-alias`, a systemd service with `CAP_NET_ADMIN` and nothing else.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use vipward_alias::options::Options;
use vipward_core::text::chain;

/// One thread: the unit sleeps until the kernel speaks, and its memory is counted in pages.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    options.log.install();
    match vipward_alias::start(&options).await {
        Ok(exit) => exit.into(),
        Err(failure) => {
            // Plain text also under `--log json`: it is for the person at the terminal or the
            // journal. Should standard error be closed, the exit code still says it.
            let _ = writeln!(std::io::stderr().lock(), "error: {}", chain(&failure));
            failure.exit().into()
        }
    }
}
