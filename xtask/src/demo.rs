//! `cargo xtask demo`: builds, then becomes `vipward-lab demo`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::install::{self, Need};
use crate::report::say;
use crate::workspace::{self, Workspace};

/// Returns only on failure: the lab takes this process over, so that Ctrl-C, the terminal and the
/// exit code are its own.
pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    install::ensure(workspace, &needs(arguments))?;
    say("building; ten to fifteen minutes the first time, most of it for aws-sdk-ec2");
    workspace::run(&mut workspace.build())?;

    let lab = workspace.binary("vipward-lab")?;
    let failure =
        workspace.command(&lab).arg("demo").args(arguments).stdin(Stdio::inherit()).exec();
    Err(failure).with_context(|| format!("cannot start {}", lab.display()))
}

/// A real Redis is installed only for those who ask for one.
fn needs(arguments: &[OsString]) -> Vec<Need> {
    let redis = arguments.iter().any(|a| a == OsStr::new("redis") || a == "--service=redis");
    let mut needs = vec![Need::Network];
    if redis {
        needs.push(Need::Redis);
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_is_needed_only_when_asked_for() {
        let needs = |words: &[&str]| needs(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(needs(&[]), [Need::Network]);
        assert_eq!(needs(&["--service", "redis"]), [Need::Network, Need::Redis]);
        assert_eq!(needs(&["--service=redis"]), [Need::Network, Need::Redis]);
    }
}
