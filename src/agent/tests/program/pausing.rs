//! A host that pauses does not take its own pause for the failure of others.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::harness::Running;

/// Longer than the agent's idea of a stall.
const PAUSE: Duration = Duration::from_millis(2500);

#[test]
fn after_a_pause_everything_is_seen_afresh() {
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("bound").port();
    let _other = TcpListener::bind(("127.77.0.22", port)).expect("free on the other address");
    let agent = Running::start(port, &[("AWS_EC2_METADATA_DISABLED", "true")]);
    agent.tells("STATUS=2 healthy, 0 unhealthy, 0 unknown");
    agent.signal("STOP");
    thread::sleep(PAUSE);
    agent.signal("CONT");
    let stall = agent.logs("stall noticed");
    assert!(stall["ms"].as_u64() >= Some(2000), "{stall}");
    agent.tells("STATUS=0 healthy, 0 unhealthy, 2 unknown");
    for _ in 0..2 {
        let changed = agent.logs("verdict changed");
        assert_eq!((&changed["from"], &changed["to"]), (&"unknown".into(), &"healthy".into()));
    }
    agent.tells("STATUS=2 healthy, 0 unhealthy, 0 unknown");
    assert_eq!(agent.terminate(), Some(0));
}
