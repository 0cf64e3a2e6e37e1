//! SIGHUP: a new file is applied, or refused whole.

use std::net::TcpListener;

use crate::harness::{Running, config};

#[test]
fn a_new_file_is_applied_and_a_wrong_one_refused_whole() {
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("bound").port();
    let agent = Running::start(port, &[("AWS_EC2_METADATA_DISABLED", "true")]);
    agent.tells("READY=1");
    agent.tells("STATUS=1 healthy, 1 unhealthy, 0 unknown");

    let bad = config(port).replace("port =", "prot =").replace("eni =", "eno =");
    std::fs::write(agent.file(), bad).expect("writable");
    agent.signal("HUP");
    for (line, word) in [(7, "eno"), (11, "eno"), (15, "no port")] {
        let refused = agent.logs_with("configuration refused", "line", line);
        let fault = refused["fault"].as_str().expect("a fault");
        assert!(fault.contains(word), "{refused}");
    }
    agent.tells("RELOADING=1");
    agent.tells("READY=1");
    agent.tells("STATUS=1 healthy, 1 unhealthy, 0 unknown");

    let second = "[[service]]\nname = \"more\"\nvip = \"127.77.0.201\"\n";
    let check = format!("check = {{ kind = \"tcp\", port = {port}, rise = 1, fall = 1 }}\n");
    std::fs::write(agent.file(), config(port) + second + &check).expect("writable");
    agent.signal("HUP");
    let reloaded = agent.logs("configuration reloaded");
    assert_eq!((&reloaded["kept"], &reloaded["fresh"]), (&2.into(), &2.into()));
    agent.tells("RELOADING=1");
    agent.tells("READY=1");
    // Those that were there keep their verdicts: none of them is unknown for a moment.
    agent.tells("STATUS=1 healthy, 1 unhealthy, 2 unknown");
    agent.tells("STATUS=2 healthy, 2 unhealthy, 0 unknown");

    let renamed = config(port).replace("cluster = \"lab\"", "cluster = \"other\"");
    std::fs::write(agent.file(), renamed).expect("writable");
    agent.signal("HUP");
    let refused = agent.logs("configuration refused");
    assert_eq!(refused["cure"], "restart the agent");
    agent.tells("RELOADING=1");
    agent.tells("READY=1");
    agent.tells("STATUS=2 healthy, 2 unhealthy, 0 unknown");
    assert_eq!(agent.terminate(), Some(0));
}
