//! The fabric of network namespaces, true to a VPC.
//!
//! The lab's own namespace is the router. Each host has a namespace and a veth pair of its own: no
//! bridge, so no host hears another's ARP. The router answers ARP for everybody (`proxy_arp`),
//! routes each private address to the veth of the interface that holds it, and drops what comes
//! from an address that its sender does not hold (`rp_filter`: EC2's source/destination check). So
//! neither an alias on the wrong host nor a gratuitous ARP brings anybody a VIP.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use vipward_core::NodeName;

use super::FabricError;
use crate::fabric_kind::{ENDPOINT, FabricKind, IMDS};
use crate::layout::{HostPlan, Layout};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 1);
/// What the router itself answers for.
const OF_THE_ROUTER: [Ipv4Addr; 3] = [ENDPOINT, IMDS, GATEWAY];
/// The router's device for what goes nowhere. A blackhole route would do, but then the router
/// answers no ARP for such addresses, and hosts were told at once what a VPC never tells them.
const VOID: &str = "void";
pub const INTERFACE: &str = "eth0";

/// The router's view of one host.
#[derive(Debug)]
struct Port {
    host: NodeName,
    mac: String,
    connected: bool,
}

impl Port {
    fn device(&self) -> String {
        device(&self.host)
    }
}

fn device(host: &NodeName) -> String {
    format!("vpc-{host}")
}

#[derive(Debug)]
pub struct Namespaces {
    /// By interface id.
    ports: BTreeMap<String, Port>,
    /// The interface that holds an address.
    mapping: BTreeMap<Ipv4Addr, String>,
}

impl Namespaces {
    /// Builds router, hosts and links; the process must own its network and mount namespace.
    pub async fn build(layout: &Layout) -> Result<Self, FabricError> {
        set("ipv4/ip_forward", "1")?;
        // Strict on both: the kernel takes the stricter of `all` and the interface's own.
        set("ipv4/conf/all/rp_filter", "1")?;
        set("ipv4/conf/default/rp_filter", "1")?;
        ip(None, &router_commands(&layout.subnet)).await?;
        let mut fabric = Self { ports: BTreeMap::new(), mapping: BTreeMap::new() };
        for host in &layout.hosts {
            fabric.add_host(host).await?;
        }
        Ok(fabric)
    }

    async fn add_host(&mut self, host: &HostPlan) -> Result<(), FabricError> {
        let HostPlan { name, address, mac, .. } = host;
        let device = device(name);
        let link =
            format!("link add {device} type veth peer name {INTERFACE} address {mac} netns {name}");
        ip(None, &[format!("netns add {name}"), link]).await?;
        set(&format!("ipv4/conf/{device}/proxy_arp"), "1")?;
        // Answers for others at once; the default waits up to 0.8 s before each.
        set(&format!("ipv4/neigh/{device}/proxy_delay"), "0")?;
        ip(None, &[format!("link set {device} up")]).await?;
        let (_, bits) = FabricKind::Namespaces.subnet();
        let inside = [
            "link set lo up".to_owned(),
            format!("link set {INTERFACE} up"),
            format!("address add {address}/{bits} dev {INTERFACE}"),
            format!("route add default via {GATEWAY}"),
        ];
        ip(Some(name), &inside).await?;
        let eni = host.eni.to_string();
        let port = Port { host: name.clone(), mac: mac.clone(), connected: true };
        self.ports.insert(eni.clone(), port);
        self.deliver(*address, Some(&eni)).await
    }

    /// Delivers `address` to the interface `eni` from now on, or to nobody.
    pub async fn deliver(
        &mut self,
        address: Ipv4Addr,
        eni: Option<&str>,
    ) -> Result<(), FabricError> {
        match eni {
            Some(eni) => self.mapping.insert(address, eni.to_owned()),
            None => self.mapping.remove(&address),
        };
        ip(None, &self.route(address)).await
    }

    /// What brings `address` where the mapping says. What nobody has, or a host that is cut off,
    /// vanishes without a word, as it does in a VPC.
    fn route(&self, address: Ipv4Addr) -> Vec<String> {
        let port = self.mapping.get(&address).and_then(|eni| self.ports.get(eni));
        match port.filter(|port| port.connected) {
            Some(port) => {
                let (device, mac) = (port.device(), &port.mac);
                vec![
                    format!("route replace {address}/32 dev {device}"),
                    format!("neighbour replace {address} lladdr {mac} nud permanent dev {device}"),
                ]
            }
            None => vec![format!("route replace {address}/32 dev {VOID}")],
        }
    }

    /// Cuts a host off, or joins it again.
    pub async fn set_connected(
        &mut self,
        host: &NodeName,
        connected: bool,
    ) -> Result<(), FabricError> {
        let mut commands = Vec::new();
        let mut enis = BTreeSet::new();
        for (eni, port) in &mut self.ports {
            if port.host == *host {
                port.connected = connected;
                enis.insert(eni.clone());
                let state = if connected { "up" } else { "down" };
                commands.push(format!("link set {} {state}", port.device()));
            }
        }
        // A link that goes down takes its routes and neighbours with it: all of them anew.
        for (address, eni) in &self.mapping {
            if enis.contains(eni) {
                commands.extend(self.route(*address));
            }
        }
        ip(None, &commands).await
    }

    /// Takes everything down again, so that the next cluster finds a bare router.
    pub async fn tear_down(&mut self) -> Result<(), FabricError> {
        let mut commands = Vec::new();
        for port in self.ports.values() {
            // The link first: a namespace's own end would bring it down only some time later.
            commands.push(format!("link delete {}", port.device()));
            commands.push(format!("netns delete {}", port.host));
        }
        commands.push(format!("link delete {VOID}"));
        commands.extend(OF_THE_ROUTER.map(|own| format!("address delete {own}/32 dev lo")));
        ip(None, &commands).await
    }
}

fn router_commands(subnet: &str) -> Vec<String> {
    let mut commands = vec![
        "link set lo up".to_owned(),
        // Its other end stays down: what is sent there is dropped.
        format!("link add {VOID} type veth peer name {VOID}-end"),
        format!("link set {VOID} arp off up"),
        format!("route add {subnet} dev {VOID}"),
    ];
    commands.extend(OF_THE_ROUTER.map(|own| format!("address add {own}/32 dev lo")));
    commands
}

pub fn command(host: &HostPlan, program: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", host.name.as_str()]).arg(program);
    command
}

/// Whether the alias of a VIP is on the host's interface, by the kernel's word.
pub async fn has_alias(host: &NodeName, vip: Ipv4Addr) -> Result<bool, FabricError> {
    let shown = ask_ip(Some(host), &[format!("address show dev {INTERFACE} to {vip}/32")]).await?;
    Ok(!shown.trim().is_empty())
}

/// Takes the alias of a VIP off the host's interface, as an operator's slip would.
pub async fn delete_alias(host: &NodeName, vip: Ipv4Addr) -> Result<(), FabricError> {
    ip(Some(host), &[format!("address delete {vip}/32 dev {INTERFACE}")]).await
}

/// Runs `ip`, in a host's namespace or the router's, with one command a line.
async fn ip(host: Option<&NodeName>, commands: &[String]) -> Result<(), FabricError> {
    ask_ip(host, commands).await.map(drop)
}

/// The same; returns what it said.
async fn ask_ip(host: Option<&NodeName>, commands: &[String]) -> Result<String, FabricError> {
    let failed = |told: String| FabricError::Command {
        command: format!("ip: {}", commands.join("; ")),
        told,
    };
    let mut command = Command::new("ip");
    if let Some(host) = host {
        command.args(["-netns", host.as_str()]);
    }
    command.args(["-batch", "-"]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        let text = commands.join("\n") + "\n";
        input.write_all(text.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
    }
    let output = child.wait_with_output().await.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

fn set(setting: &str, value: &str) -> Result<(), FabricError> {
    let path = PathBuf::from("/proc/sys/net").join(setting);
    std::fs::write(&path, value)
        .map_err(|source| FabricError::SetUp { what: path.display().to_string(), source })
}
