//! Runs the binary and keeps what it said.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run of the command said.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// Its data.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
}

/// The root of the repository, where every run starts.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of this test's fixtures, seen from the root.
pub fn fixture(name: &str) -> String {
    format!("src/cli/tests/fixtures/{name}")
}

/// A file that a test may write, in a directory that Cargo provides.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Runs `vipward` with these arguments.
pub fn vipward(arguments: &[&str]) -> Run {
    vipward_against("http://127.0.0.1:9", arguments)
}

/// The same with AWS at `endpoint`.
pub fn vipward_against(endpoint: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipward"));
    command
        .args(arguments)
        .current_dir(root())
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .env_remove("AWS_PROFILE");
    run(&mut command)
}

/// Runs that command.
pub fn run(command: &mut Command) -> Run {
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
    Run {
        exit_code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
