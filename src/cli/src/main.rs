//! `vipward`, the operator's command: data on standard output, talk on standard error.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vipward::failure::Failure;
use vipward::options::Options;
use vipward::said::Said;
use vipward_core::Exit;
use vipward_core::text::complaint;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Whether anybody hears of progress or not, the command goes on.
    let mut progress = |talk: &str| {
        let _ = io::stderr().lock().write_all(talk.as_bytes());
    };
    let outcome = vipward::run(Options::parse().command, &mut progress).await;
    let exit = outcome.and_then(|said| say(&said)).unwrap_or_else(|failure| {
        let talk = complaint(&failure, failure.hint().as_deref());
        // Should standard error be closed, the exit code still says it.
        let _ = io::stderr().lock().write_all(talk.as_bytes());
        failure.exit()
    });
    exit.into()
}

fn say(said: &Said) -> Result<Exit, Failure> {
    let mut data = io::stdout().lock();
    data.write_all(said.data.as_bytes()).and_then(|()| data.flush()).map_err(Failure::Output)?;
    io::stderr().lock().write_all(said.talk.as_bytes()).map_err(Failure::Output)?;
    Ok(said.exit)
}
