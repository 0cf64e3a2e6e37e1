//! `vipward`, the operator's command: data on standard output, talk on standard error.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vipward::failure::Failure;
use vipward::options::Options;
use vipward::said::Said;
use vipward_core::Exit;
use vipward_core::text::chain;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = vipward::run(options.command).await;
    match outcome.and_then(|said| say(&said)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure);
            failure.exit().into()
        }
    }
}

fn say(said: &Said) -> Result<Exit, Failure> {
    let mut data = io::stdout().lock();
    data.write_all(said.data.as_bytes()).and_then(|()| data.flush()).map_err(Failure::Output)?;
    io::stderr().lock().write_all(said.talk.as_bytes()).map_err(Failure::Output)?;
    Ok(said.exit)
}

fn complain(failure: &Failure) {
    // Should standard error be closed, the exit code still says it.
    let mut talk = io::stderr().lock();
    let _ = writeln!(talk, "error: {}", chain(failure));
    if let Some(hint) = failure.hint() {
        let _ = writeln!(talk, "hint: {hint}");
    }
}
