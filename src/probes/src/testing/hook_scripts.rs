//! The hooks that are shipped in `infra/hooks`, run against the real servers of the tests.

use std::process::Command;

use super::scratch::fresh_directory;

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

#[test]
fn a_mysql_hook_that_cannot_ask_of_the_second_lock_has_not_locked() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = fresh_directory("hook");
    let client = directory.join("mariadb");
    let deaf =
        "#!/bin/sh\ncase \"$*\" in *'SHOW GLOBAL VARIABLES'*) echo gone away >&2; exit 1 ;; esac\n";
    std::fs::write(&client, deaf).expect("writable");
    std::fs::set_permissions(&client, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let path = format!("{}:/usr/bin:/bin", directory.display());
    assert_refuses(hook("mysql", &["demote"]).env("PATH", path), "gone away");
    std::fs::remove_dir_all(&directory).expect("it was ours");
}
