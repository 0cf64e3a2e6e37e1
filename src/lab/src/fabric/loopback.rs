//! The fabric for machines that allow no namespaces: every host is an address on the loopback
//! interface, and each VIP a forwarder in the lab that connects to whoever holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use vipward_core::NodeName;

use super::FabricError;
use crate::layout::{Layout, ServicePlan};

/// Who holds what, and who is cut off; shared with the forwarders.
#[derive(Debug, Default)]
struct Map {
    hosts: BTreeMap<String, (NodeName, Ipv4Addr)>,
    holders: BTreeMap<Ipv4Addr, String>,
    cut_off: BTreeSet<NodeName>,
}

impl Map {
    /// The address of the host that gets what is sent to `vip`.
    fn destination(&self, vip: Ipv4Addr) -> Option<Ipv4Addr> {
        let (host, address) = self.hosts.get(self.holders.get(&vip)?)?;
        (!self.cut_off.contains(host)).then_some(*address)
    }
}

/// The fabric in use; dropping it ends the forwarders.
#[derive(Debug)]
pub struct Loopback {
    map: Arc<Mutex<Map>>,
    forwarders: Vec<tokio::task::JoinHandle<()>>,
}

impl Loopback {
    pub async fn build(layout: &Layout) -> Result<Self, FabricError> {
        let host = |host: &crate::layout::HostPlan| {
            (host.eni.to_string(), (host.name.clone(), host.address))
        };
        let hosts = layout.hosts.iter().map(host).collect();
        let map = Arc::new(Mutex::new(Map { hosts, ..Map::default() }));
        let mut forwarders = Vec::new();
        for service in &layout.services {
            let what = || format!("a forwarder on {}", service.address());
            let listener = TcpListener::bind(service.address())
                .await
                .map_err(|source| FabricError::SetUp { what: what(), source })?;
            forwarders.push(tokio::spawn(forward(listener, service.clone(), Arc::clone(&map))));
        }
        Ok(Self { map, forwarders })
    }

    /// Delivers `vip` to the interface `eni` from now on, or to nobody.
    pub fn deliver(&self, vip: Ipv4Addr, eni: Option<&str>) {
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        match eni {
            Some(eni) => map.holders.insert(vip, eni.to_owned()),
            None => map.holders.remove(&vip),
        };
    }

    /// Ends the forwarders and gives their addresses back.
    pub async fn tear_down(&mut self) {
        for forwarder in self.forwarders.drain(..) {
            forwarder.abort();
            // It ends by being aborted: that is no news.
            let _ = forwarder.await;
        }
    }

    /// Cuts a host off for clients of VIPs, or joins it again.
    pub fn set_connected(&self, host: &NodeName, connected: bool) {
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        if connected {
            map.cut_off.remove(host);
        } else {
            map.cut_off.insert(host.clone());
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        for forwarder in &self.forwarders {
            forwarder.abort();
        }
    }
}

async fn forward(listener: TcpListener, service: ServicePlan, map: Arc<Mutex<Map>>) {
    loop {
        let Ok((mut client, _)) = listener.accept().await else {
            continue;
        };
        let holder = {
            let map = map.lock().unwrap_or_else(PoisonError::into_inner);
            map.destination(service.vip)
        };
        // Nobody there: the connection closes, which is as near to silence as a forwarder gets.
        let Some(holder) = holder else { continue };
        let address = SocketAddrV4::new(holder, service.port);
        tokio::spawn(async move {
            if let Ok(mut server) = TcpStream::connect(address).await {
                // Either side may hang up at any time: that is all a forwarder has to know.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}

/// A command that ends with the lab, however that ends: there is no namespace to see to it.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vip_goes_to_its_holder_unless_that_is_cut_off() {
        let vip = Ipv4Addr::new(127, 0, 1, 201);
        let address = Ipv4Addr::new(127, 0, 1, 11);
        let node: NodeName = "node-1".parse().expect("is a name");
        let mut map = Map::default();
        assert_eq!(map.destination(vip), None);
        map.holders.insert(vip, "eni-1".to_owned());
        assert_eq!(map.destination(vip), None, "a holder outside the cluster");
        map.hosts.insert("eni-1".to_owned(), (node.clone(), address));
        assert_eq!(map.destination(vip), Some(address));
        map.cut_off.insert(node);
        assert_eq!(map.destination(vip), None);
    }
}
