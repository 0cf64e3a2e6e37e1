//! Runs a test of this file inside a network namespace of its own, as process 1 of a process
//! namespace of its own: when it ends, however it ends, the kernel removes every interface, address
//! and process that it made.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Set for the run inside; its value is a directory for the test's files.
const INSIDE: &str = "VIPWARD_KERNEL_TEST_INSIDE";

const NEEDED: &str = "this test needs a network namespace with a veth pair: run it as root, or \
    allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, \
    kernel.apparmor_restrict_unprivileged_userns=0), with unshare and setpriv (util-linux) and ip \
    (iproute2) installed and the veth module loadable";

/// Runs `body` inside a namespace, by running the test `name` of this very program again in there.
///
/// # Panics
/// The test failed inside, or no namespace can be had: the message then says what is needed.
pub fn inside(name: &str, body: fn(&Path)) {
    if let Some(files) = marked() {
        return body(&files);
    }
    let program = std::env::current_exe().expect("the path of this program");
    let files = Files::new(name);
    let mut command = unshared();
    command.arg(program).args(["--exact", name, "--nocapture", "--test-threads=1"]);
    let output = command.env(INSIDE, &files.0).output().expect("unshare ran a moment ago");
    let said = said(&output);
    assert!(output.status.success(), "inside the namespace:\n{said}");
    assert!(said.contains("1 passed"), "the test ran inside:\n{said}");
}

#[expect(clippy::disallowed_methods, reason = "a process learns from it that it is inside")]
fn marked() -> Option<PathBuf> {
    std::env::var_os(INSIDE).map(PathBuf::from)
}

/// `unshare` in the first form that this machine allows: as root, else in a user namespace.
fn unshared() -> Command {
    let plain = ["--net", "--pid", "--fork", "--kill-child"].as_slice();
    let user = ["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"].as_slice();
    let mut heard = Vec::new();
    for form in [plain, user] {
        let mut trial = Command::new("unshare");
        trial.args(form).args(["ip", "link", "add", "trial", "type", "veth"]);
        heard.push(match trial.output() {
            Ok(output) if output.status.success() => {
                let mut command = Command::new("unshare");
                command.args(form);
                return command;
            }
            Ok(output) => said(&output),
            Err(error) => error.to_string(),
        });
    }
    panic!("{NEEDED}\nunshare said:\n{}", heard.join("\n"));
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// A directory for one run of one test, removed with it.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let own = format!("vipward-alias-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(own);
        fs::create_dir_all(&path).expect("a directory for the test's files");
        Self(path)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs `ip` with these words in the namespace of the test, and answers what it said.
///
/// # Panics
/// It failed.
pub fn ip(words: &str) -> String {
    let output = Command::new("ip").args(words.split(' ')).output().expect("ip runs");
    assert!(output.status.success(), "ip {words}: {}", said(&output));
    String::from_utf8(output.stdout).expect("ip speaks UTF-8")
}

/// Runs `ip` with many commands at once, one a line.
pub fn ip_batch(files: &Path, lines: &[String]) {
    let path = files.join("batch");
    fs::write(&path, lines.join("\n")).expect("the batch is written");
    ip(&format!("-batch {}", path.display()));
}

/// Every IPv4 address of the namespace: `<interface> <address>/<prefix> <label> [noprefixroute]`,
/// sorted.
pub fn addresses() -> Vec<String> {
    let interfaces: serde_json::Value =
        serde_json::from_str(&ip("-j -4 addr show")).expect("ip -j speaks JSON");
    let mut lines = Vec::new();
    for interface in interfaces.as_array().expect("a list of interfaces") {
        let Some(name) = interface["ifname"].as_str() else {
            continue;
        };
        for held in interface["addr_info"].as_array().expect("a list of addresses") {
            let word = |key: &str| held[key].as_str().unwrap_or_default().to_owned();
            let routed = if held["noprefixroute"] == true { " noprefixroute" } else { "" };
            let prefix = &held["prefixlen"];
            lines.push(format!("{name} {}/{prefix} {}{routed}", word("local"), word("label")));
        }
    }
    lines.sort();
    lines
}

/// An interface with the node's address, up, at the end of a veth pair whose other end is `far`.
pub fn interface(name: &str, address: &str) {
    ip(&format!("link add {name} type veth peer name far"));
    ip(&format!("addr add {address} dev {name}"));
    ip(&format!("link set {name} up"));
    ip("link set far up");
}

/// The command that runs `program` without `CAP_NET_ADMIN`.
pub fn without_net_admin(program: &str) -> Vec<OsString> {
    ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", program]
        .map(OsString::from)
        .to_vec()
}
