//! Figures of the real program on the real kernel, in a network namespace: how soon an alias is
//! back, and what the unit costs. `cargo bench -p vipward-alias`, as root.

use std::fs;
use std::io::{BufRead as _, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vipward_alias::kernel::Kernel;
use vipward_upkeep::plan::{Act, Repair};

/// Given to this program when it runs inside the namespace.
const INSIDE: &str = "inside";
const ROUNDS: usize = 300;
/// How long the idle unit is watched. Longer than its safety net of a minute.
const IDLE: Duration = Duration::from_secs(65);
const VIP: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 201);

const CONFIG: &str = r#"
cluster = "prod-db"
subnet = "172.31.0.0/20"
policy = { alias = "MODE" }
[[node]]
name = "resource-01"
address = "172.31.0.11"
eni = "eni-0a1b2c3d4e5f60001"
[[node]]
name = "resource-02"
address = "172.31.0.124"
eni = "eni-0a1b2c3d4e5f60002"
[[service]]
name = "mysql"
vip = "172.31.0.201"
check = { kind = "tcp", port = 3306 }
"#;

fn main() {
    if std::env::args().any(|argument| argument == INSIDE) {
        return figures();
    }
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new("unshare");
    command.args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.arg(program).arg(INSIDE);
    assert!(command.status().expect("unshare runs").success(), "the figures were taken");
}

fn figures() {
    ip("link set lo up");
    ip("link add ens5 type veth peer name far");
    ip("link set far up");
    ip("link set ens5 up");
    ip("addr add 172.31.0.11/20 dev ens5");
    let folder = std::env::temp_dir().join(format!("vipward-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let unit = Unit::start(&folder, "static", None);
        restored().await;
        unit.tell("static");
        flood(&folder, &unit);
        drop(unit);
        let metadata = serve_metadata();
        let unit = Unit::start(&folder, "follow", Some(&metadata));
        unit.tell("follow");
    });
    fs::remove_dir_all(&folder).expect("it was ours");
}

/// From the kernel's word that the alias is gone to its word that it is back.
async fn restored() {
    let kernel = Kernel::open().expect("a netlink socket");
    let inventory = kernel.inventory().await.expect("a dump");
    let link = inventory.links().find(|link| link.name == "ens5").expect("ens5").index;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        while !kernel.inventory().await.expect("a dump").holders(VIP).any(|_| true) {}
        // Longer than two of the rests that the unit takes between passes, of which its own
        // addition brings one: the first event after a quiet time.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let remove = Repair { link, vip: VIP, act: Act::Remove(32) };
        kernel.carry_out(&remove).await.expect("it is removed");
        let removed = Instant::now();
        while !kernel.inventory().await.expect("a dump").holders(VIP).any(|_| true) {}
        times.push(removed.elapsed());
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    say(&format!(
        "alias back after its removal: median {:?}, 99 % {:?}, worst {:?} of {ROUNDS}",
        at(50),
        at(99),
        at(100)
    ));
}

/// Ten thousand events of neighbours, as fast as `ip` makes them.
fn flood(folder: &Path, unit: &Unit) {
    let change =
        |verb: &str, n: u32| format!("addr {verb} 10.9.{}.{}/32 dev ens5\n", n / 250, 1 + n % 250);
    let lines: String = (0..5000).flat_map(|n| [change("add", n), change("del", n)]).collect();
    let batch = folder.join("batch");
    fs::write(&batch, lines).expect("it is written");
    let (before, began) = (unit.on_cpu(), Instant::now());
    ip(&format!("-batch {}", batch.display()));
    let took = began.elapsed();
    say(&format!(
        "10,000 address events in {took:?}: {:?} of CPU",
        unit.on_cpu().saturating_sub(before)
    ));
}

struct Unit {
    child: Child,
}

impl Unit {
    fn start(folder: &Path, mode: &str, endpoint: Option<&str>) -> Self {
        let config = folder.join("vipward.toml");
        fs::write(&config, CONFIG.replace("MODE", mode)).expect("it is written");
        let socket: PathBuf = folder.join(mode);
        let manager = UnixDatagram::bind(&socket).expect("a socket");
        let child = Command::new(env!("CARGO_BIN_EXE_vipward-alias"))
            .arg("--config")
            .arg(&config)
            .arg("--report")
            .arg(folder.join("alias.json"))
            .env("NOTIFY_SOCKET", &socket)
            .envs(endpoint.map(|endpoint| ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)))
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        manager.recv(&mut [0; 512]).expect("it says that it is ready");
        Self { child }
    }

    /// Memory and idle CPU.
    fn tell(&self, mode: &str) {
        let before = self.on_cpu();
        std::thread::sleep(IDLE);
        let idle = self.on_cpu().saturating_sub(before);
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let lines =
            status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"));
        let memory: Vec<String> =
            lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        say(&format!("{mode}: {}; {idle:?} of CPU in {IDLE:?} idle", memory.join(", ")));
    }

    fn on_cpu(&self) -> Duration {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id()));
        let text = text.expect("it runs");
        let first = text.split(' ').next().and_then(|word| word.parse().ok());
        Duration::from_nanos(first.expect("nanoseconds on the CPU"))
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Instance metadata that name the VIP.
fn serve_metadata() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let _ = answer(stream);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let body = if request.starts_with("PUT ") {
        "a-token=="
    } else if request.contains("/interface-id ") {
        "eni-0a1b2c3d4e5f60001"
    } else {
        "172.31.0.11\n172.31.0.201"
    };
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status().expect("ip runs");
    assert!(status.success(), "ip {words}");
}

fn say(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").expect("standard output is open");
}
