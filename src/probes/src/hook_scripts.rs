//! The hooks that are shipped in `infra/hooks`, run against the real servers of the tests.

use std::process::Command;

/// A hook as the agent runs it, but for what its server's client needs here.
pub(crate) fn hook(name: &str, arguments: &[&str]) -> Command {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/hooks");
    let mut command = Command::new(format!("{directory}/{name}"));
    command.args(arguments).env("VIPWARD_SERVICE", name).env("VIPWARD_NODE", "a");
    command
}

/// That it fails, and says so.
pub(crate) fn assert_refuses(command: &mut Command, expected: &str) {
    let output = command.output().expect("the hook runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(expected), "{}: {said}", output.status);
}
