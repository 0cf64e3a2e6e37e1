//! Runs a test of this file inside a network namespace of its own, as process 1 of a process
//! namespace of its own: when it ends, however it ends, the kernel removes every interface, address
//! and process that it made.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Set for the run inside; its value is a directory for the test's files.
const INSIDE: &str = "VIPWARD_KERNEL_TEST_INSIDE";

const NEEDED: &str = "this test needs a network namespace with a veth pair: run it as root, or \
    allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, \
    kernel.apparmor_restrict_unprivileged_userns=0), with unshare and setpriv (util-linux) and ip \
    (iproute2) installed and the veth module loadable";

const ROOT_NEEDED: &str = "this test runs daemons that change their user: run it as root, or allow \
    sudo without a password";

/// Runs `body` inside a namespace, by running the test `name` of this very program again in there.
///
/// # Panics
/// The test failed inside, or no namespace can be had: the message then says what is needed.
pub fn inside(name: &str, body: fn(&Path)) {
    let user = ["unshare", "--user", "--map-root-user"].as_slice();
    inside_by(&[&["unshare"], user], NEEDED, name, body);
}

/// The same as root, for daemons that a user namespace of one user does not serve.
pub fn inside_as_root(name: &str, body: fn(&Path)) {
    inside_by(&[&["unshare"], &["sudo", "-n", "unshare"]], ROOT_NEEDED, name, body);
}

fn inside_by(forms: &[&[&str]], needed: &str, name: &str, body: fn(&Path)) {
    if let Some(files) = marked() {
        return body(&files);
    }
    let program = std::env::current_exe().expect("the path of this program");
    let files = Files::new(name);
    let mut command = unshared(forms, needed);
    command.arg("env").arg(format!("{INSIDE}={}", files.0.display())).arg(program);
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    let output = command.output().expect("unshare ran a moment ago");
    let said = said(&output);
    assert!(output.status.success(), "inside the namespace:\n{said}");
    assert!(said.contains("1 passed"), "the test ran inside:\n{said}");
}

#[expect(clippy::disallowed_methods, reason = "a process learns from it that it is inside")]
fn marked() -> Option<PathBuf> {
    std::env::var_os(INSIDE).map(PathBuf::from)
}

/// `unshare` in the first form that this machine allows.
fn unshared(forms: &[&[&str]], needed: &str) -> Command {
    let mut heard = Vec::new();
    for form in forms {
        let command = || {
            let mut command = Command::new(form[0]);
            command.args(&form[1..]).args(["--net", "--pid", "--fork", "--kill-child"]);
            command
        };
        let mut trial = command();
        trial.args(["ip", "link", "add", "trial", "type", "veth"]);
        heard.push(match trial.output() {
            Ok(output) if output.status.success() => return command(),
            Ok(output) => said(&output),
            Err(error) => error.to_string(),
        });
    }
    panic!("{needed}\nunshare said:\n{}", heard.join("\n"));
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// A directory for one run of one test, removed with it.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let own = format!("vipward-alias-{}-{}", std::process::id(), name.replace("::", "-"));
        let path = std::env::temp_dir().join(own);
        fs::create_dir_all(&path).expect("a directory for the test's files");
        Self(path)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if fs::remove_dir_all(&self.0).is_err() {
            // What a test that ran by sudo has written is root's.
            let _ = Command::new("sudo").args(["-n", "rm", "-rf"]).arg(&self.0).status();
        }
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

/// Runs any program with these words in the namespace of the test, and answers what it said.
///
/// # Panics
/// It is missing, or it failed.
pub fn run(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program}: {error}; cargo xtask setup installs it"));
    assert!(output.status.success(), "{program} {words:?}: {}", said(&output));
    said(&output)
}

/// Sets a kernel setting of the namespace, named from `net` on.
pub fn set(setting: &str, value: &str) {
    let path = Path::new("/proc/sys/net").join(setting);
    fs::write(&path, value).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Looks again and again until it is so.
///
/// # Panics
/// It did not come to be so in time.
pub fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
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
