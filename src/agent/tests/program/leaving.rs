//! `leave`, `stay` and hooks, with metadata that a test serves.

use std::net::TcpListener;

use crate::harness::{Running, config, outcome, program};
use crate::metadata::{ADDRESSES, Metadata};

/// Asks the running agent; exit code and standard error.
fn ask(agent: &Running, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = program(arguments);
    command.arg("--socket").arg(agent.socket());
    let (code, _, stderr) = outcome(command);
    (code, stderr)
}

#[test]
fn leaving_ends_well_only_when_the_metadata_no_longer_name_the_vip() {
    let metadata = Metadata::serve();
    metadata.set(ADDRESSES, "127.77.0.21\n127.77.0.200");
    let agent = Running::start(1, &metadata.environment());
    agent.tells("READY=1");
    let (code, said) = ask(&agent, &["leave", "--wait", "1s"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("127.77.0.200 of web is still here"), "{said}");
    metadata.forget(ADDRESSES);
    agent.logs("addresses of the interface not known");
    let (code, said) = ask(&agent, &["leave", "--service", "web", "--wait", "1s"]);
    assert_eq!(code, Some(4), "unknown is not gone: {said}");
    assert!(said.contains("it is not known whether 127.77.0.200 of web is here"), "{said}");
    metadata.set(ADDRESSES, "127.77.0.21");
    let (code, said) = ask(&agent, &["leave", "--reason", "upgrade", "--wait", "30s"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(ask(&agent, &["stay"]), (Some(0), String::new()));
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn what_cannot_leave_is_refused() {
    let agent = Running::start(1, &[]);
    agent.tells("READY=1");
    for (arguments, expected) in [
        (["leave", "--service", "mysql"], "the configuration has no service mysql"),
        (["stay", "--unit", "mysql.service"], "no service in the configuration has unit"),
    ] {
        let (code, said) = ask(&agent, &arguments);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(expected) && said.contains("hint: "), "{said}");
    }
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn hooks_run_once_for_what_is_and_again_when_it_changes() {
    let metadata = Metadata::serve();
    metadata.set(ADDRESSES, "127.77.0.21\n127.77.0.200");
    let hooks = "on_acquire = { command = [\"/bin/echo\", \"up\"] }\n\
                 on_release = { command = [\"/bin/false\"] }\n";
    let file = format!("{}{hooks}", config(1));
    let agent = Running::start_with(&file, &metadata.environment());
    let done = agent.logs("hook done");
    assert_eq!((&done["occasion"], &done["output"]), (&"acquire".into(), &"up".into()));
    let agent = agent.restart(&metadata.environment());
    metadata.set(ADDRESSES, "127.77.0.21");
    let failed = agent.logs("hook failed");
    assert_eq!(failed["occasion"], "release", "the first needs no second run");
    let (code, text, _) = outcome({
        let mut command = program(&["status", "--socket"]);
        command.arg(agent.socket());
        command
    });
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("release") && text.contains("exit code 1"), "{text}");
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn a_service_that_was_started_anew_is_told_again_what_its_node_has() {
    let metadata = Metadata::serve();
    metadata.set(ADDRESSES, "127.77.0.21\n127.77.0.200");
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let address = listener.local_addr().expect("bound");
    let file =
        format!("{}on_acquire = {{ command = [\"/bin/echo\", \"up\"] }}\n", config(address.port()));
    let agent = Running::start_with(&file, &metadata.environment());
    assert_eq!(agent.logs("hook done")["occasion"], "acquire");
    agent.tells("STATUS=1 healthy, 1 unhealthy, 0 unknown");
    drop(listener);
    agent.tells("STATUS=0 healthy, 2 unhealthy, 0 unknown");
    let _anew = TcpListener::bind(address).expect("it was free a moment ago");
    assert_eq!(agent.logs("hook done")["occasion"], "acquire");
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn a_spot_interruption_is_told_by_the_next_look() {
    let metadata = Metadata::serve();
    let action = r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z"}"#;
    metadata.set("spot/instance-action", action);
    let agent = Running::start(1, &metadata.environment());
    let told = agent.logs("end of the instance announced");
    assert_eq!(told["reason"], "spot interruption: terminate at 2017-09-18T08:22:00Z");
    assert_eq!(agent.terminate(), Some(0));
}
