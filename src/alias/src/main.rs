//! `vipward-alias`, a systemd service with `CAP_NET_ADMIN` and nothing else.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vipward_alias::options::Options;
use vipward_core::text::complaint;

/// One thread: the unit sleeps until the kernel speaks, and its memory is counted in pages.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    options.log.install();
    let exit = vipward_alias::start(&options).await.unwrap_or_else(|failure| {
        // Plain text also under `--log json`: it is for the person at the terminal or the journal.
        // Should standard error be closed, the exit code still says it.
        let _ = io::stderr().lock().write_all(complaint(&failure, failure.hint()).as_bytes());
        failure.exit()
    });
    exit.into()
}
