use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use vipward_core::config::CheckKind;

use super::*;
use crate::testing::daemon::Daemon;
use crate::testing::scratch::fresh_directory;
use crate::testing::scripted::{check, closed_port};

/// What a bus sends: the answer to the handshake, then a message for each call.
struct Sent(Vec<u8>);

impl Sent {
    fn welcome() -> Self {
        Self(b"DATA\r\nOK 1234deadbeef\r\n".to_vec()).reply(1, None, b"s", &text(":1.7"))
    }

    /// A reply to the call of that number, or an error of that name.
    fn reply(mut self, answers: u32, error: Option<&str>, signature: &[u8], body: &[u8]) -> Self {
        let mut fields = vec![5, 1, b'u', 0];
        fields.extend(answers.to_le_bytes());
        if let Some(name) = error {
            fields.extend([4, 1, b's', 0]);
            fields.extend(text(name));
        }
        fields.resize(fields.len().next_multiple_of(8), 0);
        fields.extend([8, 1, b'g', 0, u8::try_from(signature.len()).expect("short")]);
        fields.extend(signature);
        fields.push(0);
        let kind = if error.is_some() { 3 } else { 2 };
        let count = |bytes: &[u8]| u32::try_from(bytes.len()).expect("short").to_le_bytes();
        let head = [[b'l', kind, 1, 1], count(body), 9_u32.to_le_bytes(), count(&fields)];
        fields.resize(fields.len().next_multiple_of(8), 0);
        self.0.extend([head.as_flattened(), &fields, body].concat());
        self
    }

    fn property(self, answers: u32, value: &str) -> Self {
        self.reply(answers, None, b"v", &[&[1, b's', 0, 0][..], &text(value)].concat())
    }
}

fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("short").to_le_bytes();
    [&length[..], text.as_bytes(), &[0]].concat()
}

async fn comes_of(sent: Vec<u8>, hangs_up: bool) -> Result<(), ProbeFailure> {
    let (ours, mut theirs) = duplex(1024);
    let bus = tokio::spawn(async move {
        let (mut hears, mut says) = tokio::io::split(&mut theirs);
        let hearing = async { while hears.read(&mut [0; 512]).await.is_ok_and(|n| n > 0) {} };
        let saying = async {
            // The probe may have had enough.
            let _said = says.write_all(&sent).await;
            if !hangs_up {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! { () = hearing => {}, () = saying => {} }
    });
    let mut check = check(CheckKind::Tcp);
    check.timeout = Duration::from_millis(300);
    let outcome = ask(Box::new(ours), "nginx.service", &Deadline::of(&check)).await;
    bus.abort();
    outcome
}

#[track_caller]
fn assert_error(outcome: &Result<(), ProbeFailure>, expected: &str) {
    let Err(ProbeFailure::Inconclusive(cause)) = outcome else { panic!("{expected}: {outcome:?}") };
    assert!(cause.contains(expected), "{cause}");
}

#[tokio::test]
async fn an_active_unit_passes_and_others_do_not() {
    let says = |loaded: &str, active: &str| {
        // A signal comes in between, as it does on a real bus.
        let sent = Sent::welcome().reply(99, None, b"s", &text(":1.7"));
        sent.property(2, loaded).property(3, active).0
    };
    for active in ["active", "reloading"] {
        assert_eq!(comes_of(says("loaded", active), false).await, Ok(()));
    }
    for (loaded, active, expected) in [
        ("loaded", "inactive", "nginx.service is inactive"),
        ("loaded", "failed", "nginx.service is failed"),
        ("loaded", "activating", "nginx.service is activating"),
        ("masked", "inactive", "nginx.service is inactive (masked)"),
    ] {
        let outcome = comes_of(says(loaded, active), false).await;
        assert_eq!(outcome, Err(ProbeFailure::Failed(expected.to_owned())));
    }
    let unknown = comes_of(says("not-found", "inactive"), false).await;
    assert_error(&unknown, "systemd knows no unit nginx.service");
}

#[tokio::test]
async fn a_bus_that_fails_says_nothing_about_the_unit() {
    let denied = text("Access denied");
    let error = Some("org.freedesktop.DBus.Error.AccessDenied");
    let refused = Sent::welcome().reply(2, error, b"s", &denied).0;
    let number = Sent::welcome().reply(2, None, b"v", &[1, b'u', 0, 0, 1, 0, 0, 0]).0;
    let huge = [Sent::welcome().0, b"l\x02\x01\x01\xff\xff\xff\x7f\x09\0\0\0\x08\0\0\0".to_vec()];
    let endless = [huge.concat(), vec![b'x'; 100_000]].concat();
    for (sent, expected) in [
        (refused, "AccessDenied: Access denied"),
        (number, "the bus sent what makes no sense"),
        (b"REJECTED EXTERNAL\r\n".to_vec(), "the bus refused: REJECTED EXTERNAL"),
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), "the bus refused: HTTP/1.1 400"),
        (vec![b'x'; 100_000], "the bus sent what makes no sense"),
        ([&b"OK 1\r\n"[..], &[0; 64]].concat(), "the bus sent what makes no sense"),
        (endless, "the bus sent 65536 bytes without an answer"),
        (b"".to_vec(), "no complete answer from systemd within 300 ms"),
        (Sent::welcome().0, "no complete answer from systemd within 300 ms"),
    ] {
        assert_error(&comes_of(sent, false).await, expected);
    }
    for sent in [Vec::new(), b"OK".to_vec(), Sent::welcome().0] {
        assert_error(&comes_of(sent, true).await, "the bus hung up");
    }
}

#[tokio::test]
async fn a_real_bus_takes_what_we_say() {
    let directory = fresh_directory("dbus");
    let socket = directory.join("bus");
    let config = directory.join("config");
    let text = format!(
        "<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context='default'>\
         <allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/></policy></busconfig>",
        socket.display()
    );
    std::fs::write(&config, text).expect("a writable directory");
    let mut command = Command::new("dbus-daemon");
    command.args(["--nofork", "--nopidfile"]).arg(format!("--config-file={}", config.display()));
    let daemon = Daemon::spawn(&mut command, "the package dbus", closed_port().await, directory);
    let deadline = Deadline::of(&check(CheckKind::Tcp));
    let wire = loop {
        match connect(&socket, &deadline).await {
            Ok(wire) => break wire,
            Err(ProbeFailure::Inconclusive(cause)) if cause.contains("No such file") => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(other) => panic!("{other}"),
        }
    };
    // There is no systemd on this bus, and the bus says so in its own words.
    let outcome = ask(wire, "nginx.service", &deadline).await;
    assert_error(&outcome, "org.freedesktop.DBus.Error.ServiceUnknown");
    drop(daemon);
    assert_error(&connect(&socket, &deadline).await.map(|_| ()), "the system bus");
}

#[test]
fn units_are_named_as_systemd_names_its_objects() {
    for (unit, expected) in [
        ("nginx.service", "nginx_2eservice"),
        ("a-b@1.service", "a_2db_401_2eservice"),
        ("1.mount", "_31_2emount"),
    ] {
        assert_eq!(object_path(unit), format!("/org/freedesktop/systemd1/unit/{expected}"));
    }
}
