use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use vipward_core::config::{Check, CheckKind};

use crate::testing::scratch::fresh_directory;
use crate::testing::scripted::check;
use crate::{Outcome, Pass, ProbeFailure, probe};

const TARGET: &str = "127.0.0.7:3306";

fn command(command: &[&str]) -> Check {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    check(CheckKind::Exec { command, user: None })
}

async fn comes_of(check: &Check) -> Outcome {
    probe(TARGET.parse().expect("an address"), check).await
}

async fn of_shell(script: &str) -> Outcome {
    comes_of(&command(&["/bin/sh", "-c", script])).await
}

#[tokio::test]
async fn exit_code_0_passes_and_all_else_fails_with_what_was_said() {
    assert_eq!(of_shell("echo fine").await, Ok(Pass::PLAIN));
    for (script, expected) in [
        ("exit 3", "exit code 3"),
        ("echo out; echo err >&2; exit 1", "exit code 1: out err"),
        ("kill -9 $$", "ended by signal 9"),
        ("exit 127", "exit code 127"),
    ] {
        assert_eq!(
            of_shell(script).await,
            Err(ProbeFailure::Failed(expected.to_owned())),
            "{script}"
        );
    }
}

#[tokio::test]
async fn a_command_that_cannot_run_is_an_error() {
    let directory = fresh_directory("exec");
    let not_a_program = directory.join("text");
    std::fs::write(&not_a_program, "not a program").expect("a writable directory");
    let absent = directory.join("absent");
    for program in [&not_a_program, &absent, &directory] {
        let outcome = comes_of(&command(&[program.to_str().expect("text")])).await;
        let Err(ProbeFailure::Inconclusive(cause)) = &outcome else { panic!("{outcome:?}") };
        assert!(cause.starts_with("cannot run /"), "{cause}");
    }
    std::fs::remove_dir_all(directory).expect("our own directory");
}

#[tokio::test]
async fn no_shell_reads_the_arguments_and_the_environment_is_almost_empty() {
    let directory = fresh_directory("exec");
    let program = directory.join("tell");
    std::fs::write(&program, "#!/bin/sh\npwd; echo \"$1\"; env | sort; exit 1\n")
        .expect("writable");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("our own file");
    let outcome = comes_of(&command(&[program.to_str().expect("text"), "$HOME; a  b"])).await;
    std::fs::remove_dir_all(directory).expect("our own directory");
    let Err(ProbeFailure::Failed(said)) = &outcome else { panic!("{outcome:?}") };
    assert!(said.starts_with("exit code 1: / $HOME; a  b PATH="), "{said}");
    assert!(said.ends_with("VIPWARD_ADDRESS=127.0.0.7 VIPWARD_PORT=3306"), "{said}");
}

/// Whether a process of that id is there and not just waiting to be reaped.
fn lives(id: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn when_the_time_is_up_the_whole_group_is_killed() {
    let directory = fresh_directory("exec");
    let children = directory.join("children");
    let script = format!("sleep 1000 & echo $$ $! > {}; wait", children.display());
    let mut check = command(&["/bin/sh", "-c", &script]);
    check.timeout = Duration::from_secs(1);
    let outcome = comes_of(&check).await;
    let expected = "/bin/sh did not end within 1000 ms".to_owned();
    assert_eq!(outcome, Err(ProbeFailure::TimedOut(expected)));
    let ids = std::fs::read_to_string(children).expect("written before the wait");
    assert_eq!(ids.split_whitespace().count(), 2, "{ids}");
    while ids.split_whitespace().any(lives) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::fs::remove_dir_all(directory).expect("our own directory");
}

#[tokio::test]
async fn endless_output_neither_fills_the_memory_nor_outlives_the_time() {
    let mut check = command(&["/bin/sh", "-c", "exec yes"]);
    check.timeout = Duration::from_millis(300);
    let expected = "/bin/sh did not end within 300 ms".to_owned();
    assert_eq!(comes_of(&check).await, Err(ProbeFailure::TimedOut(expected)));
    let much = of_shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 1").await;
    let Err(ProbeFailure::Failed(cause)) = &much else { panic!("{much:?}") };
    assert!(cause.starts_with("exit code 1: xxx"), "{cause}");
}

#[tokio::test]
async fn what_the_command_leaves_behind_does_not_hold_up_its_end() {
    let outcome = of_shell("sleep 3 & exit 4").await;
    assert_eq!(outcome, Err(ProbeFailure::Failed("exit code 4".to_owned())));
}

async fn as_user(user: &str, script: &str) -> Outcome {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    comes_of(&check(CheckKind::Exec { command, user: Some(user.to_owned()) })).await
}

#[tokio::test]
async fn a_named_user_runs_the_command_where_we_may_let_it() {
    let outcome = as_user("nobody", "id -un; id -G; exit 1").await;
    if nix::unistd::geteuid().is_root() {
        let Err(ProbeFailure::Failed(said)) = &outcome else { panic!("{outcome:?}") };
        assert!(said.starts_with("exit code 1: nobody 65534"), "{said}");
        let late = command(&["/bin/sleep", "1000"]);
        let CheckKind::Exec { command, .. } = late.kind else { panic!("a command") };
        let kind = CheckKind::Exec { command, user: Some("nobody".to_owned()) };
        let impatient =
            Check { kind, timeout: Duration::from_millis(300), ..check(CheckKind::Tcp) };
        let expected = "/bin/sleep did not end within 300 ms".to_owned();
        assert_eq!(comes_of(&impatient).await, Err(ProbeFailure::TimedOut(expected)));
    } else {
        let Err(ProbeFailure::Inconclusive(cause)) = &outcome else { panic!("{outcome:?}") };
        assert!(cause.starts_with("cannot run /bin/sh as nobody: "), "{cause}");
        assert!(cause.contains("CAP_SETUID"), "{cause}");
    }
}

#[tokio::test]
async fn a_user_that_this_host_does_not_know_is_an_error() {
    let outcome = as_user("no-such-user-here", "exit 0").await;
    let expected = "the user no-such-user-here: it does not exist".to_owned();
    assert_eq!(outcome, Err(ProbeFailure::Inconclusive(expected)));
}
