//! The netlink rim: dumps, adds and removals. It decides nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures::TryStreamExt;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use rtnetlink::packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};

use vipward_upkeep::inventory::{Held, Inventory, Link, Mac};
use vipward_upkeep::plan::{Act, Repair};

/// The kernel answers in microseconds; whoever waits this long has lost the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Settings of IPv4, of `all` interfaces and of each.
const SETTINGS: &str = "/proc/sys/net/ipv4/conf";

/// `EADDRNOTAVAIL`, on every Linux that this is built for.
const NO_SUCH_ADDRESS: i32 = 99;

/// What the unit asked of the kernel, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A dump of all interfaces.
    Links,
    /// A dump of all IPv4 addresses.
    Addresses,
    /// A new address.
    Add(Ipv4Addr),
    /// An end to an address.
    Remove(Ipv4Addr),
}

impl fmt::Display for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Links => out.write_str("list the interfaces"),
            Self::Addresses => out.write_str("list the addresses"),
            Self::Add(vip) => write!(out, "add {vip}"),
            Self::Remove(vip) => write!(out, "remove {vip}"),
        }
    }
}

/// Why the kernel did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// No netlink socket.
    #[error("cannot open a netlink socket")]
    Socket(#[source] io::Error),
    /// The kernel answered with an errno.
    #[error("cannot {request}")]
    Refused {
        /// What was asked.
        request: Request,
        /// Its answer.
        source: io::Error,
    },
    /// The unit lacks the capability; trying again cannot help.
    #[error("not permitted to {0}")]
    Denied(Request),
    /// The socket is closed or said something that is no answer.
    #[error("cannot {request}: the netlink socket failed")]
    Broken {
        /// What was asked.
        request: Request,
        /// What it said.
        source: rtnetlink::Error,
    },
    /// The answer was lost.
    #[error("cannot {0}: no answer from the kernel within {ANSWER_WITHIN:?}")]
    Silent(Request),
}

impl KernelError {
    fn new(request: Request, error: rtnetlink::Error) -> Self {
        match error {
            rtnetlink::Error::NetlinkError(answer) => match answer.to_io() {
                source if source.kind() == io::ErrorKind::PermissionDenied => Self::Denied(request),
                source => Self::Refused { request, source },
            },
            source => Self::Broken { request, source },
        }
    }

    /// Whether the kernel refused because what was asked for is so already.
    fn already_so(&self) -> bool {
        let Self::Refused { request, source } = self else {
            return false;
        };
        match request {
            Request::Add(_) => source.kind() == io::ErrorKind::AlreadyExists,
            Request::Remove(_) => source.raw_os_error() == Some(NO_SUCH_ADDRESS),
            Request::Links | Request::Addresses => false,
        }
    }
}

/// A netlink socket for requests only: events come over their own (see [`crate::events`]), so that
/// a flood of them cannot push an answer out of the receive buffer.
pub struct Kernel {
    handle: rtnetlink::Handle,
}

impl Kernel {
    /// Opens the socket in the network namespace of this process; the running tokio runtime serves
    /// it.
    pub fn open() -> Result<Self, KernelError> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(KernelError::Socket)?;
        tokio::spawn(connection);
        Ok(Self { handle })
    }

    /// Dumps all interfaces and IPv4 addresses.
    ///
    /// The two dumps are not one snapshot. Whatever changes between or during them is told by an
    /// event too, and the pass that this wakes sees it.
    pub async fn inventory(&self) -> Result<Inventory, KernelError> {
        let links = self.handle.link().get();
        let links = links.set_filter_mask(AddressFamily::Unspec, vec![LinkExtentMask::SkipStats]);
        let links: Vec<LinkMessage> =
            answered(Request::Links, links.execute().try_collect()).await?;

        let mut addresses = self.handle.address().get();
        addresses.message_mut().header.family = AddressFamily::Inet;
        let addresses: Vec<AddressMessage> =
            answered(Request::Addresses, addresses.execute().try_collect()).await?;

        let inventory =
            Inventory::new(links.iter().filter_map(link), addresses.iter().filter_map(held));
        let promoting: Vec<u32> = inventory
            .with_secondaries()
            .filter(|link| promotes("all") || promotes(&link.name))
            .map(|link| link.index)
            .collect();
        Ok(inventory.promoting(promoting))
    }

    /// Carries out one repair. That somebody else was quicker is success.
    pub async fn carry_out(&self, repair: &Repair) -> Result<(), KernelError> {
        let outcome = match repair.act {
            Act::Add => self.add(repair).await,
            Act::Remove(prefix) => self.remove(repair, prefix).await,
        };
        match outcome {
            Err(refusal) if refusal.already_so() => Ok(()),
            outcome => outcome,
        }
    }

    /// As /32 and without a prefix route: the VPC routes by subnet, and a second connected route
    /// would shadow nothing but confuse. Without a label such as `ens5:1` too: where
    /// systemd-networkd has the same address in its files (amazon-ec2-net-utils puts it there), it
    /// takes the label for a change that it has to undo, tries 65,536 times, and then gives the
    /// whole interface up.
    async fn add(&self, repair: &Repair) -> Result<(), KernelError> {
        let mut add = self.handle.address().add(repair.link, repair.vip.into(), 32);
        let attributes = &mut add.message_mut().attributes;
        attributes.push(AddressAttribute::Flags(AddressFlags::Noprefixroute));
        answered(Request::Add(repair.vip), add.execute()).await
    }

    async fn remove(&self, repair: &Repair, prefix: u8) -> Result<(), KernelError> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.index = repair.link;
        message.header.prefix_len = prefix;
        // The kernel matches the local address and the prefix length, and no other.
        message.attributes.push(AddressAttribute::Local(repair.vip.into()));
        let remove = self.handle.address().del(message);
        answered(Request::Remove(repair.vip), remove.execute()).await
    }
}

/// Whether the kernel promotes secondaries there. What cannot be read counts as no: then nothing
/// is removed that might take others along.
fn promotes(interface: &str) -> bool {
    let setting = format!("{SETTINGS}/{interface}/promote_secondaries");
    std::fs::read_to_string(setting).is_ok_and(|value| value.trim() == "1")
}

async fn answered<T>(
    request: Request,
    answer: impl Future<Output = Result<T, rtnetlink::Error>>,
) -> Result<T, KernelError> {
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(answer) => answer.map_err(|error| KernelError::new(request, error)),
        Err(_) => Err(KernelError::Silent(request)),
    }
}

fn link(message: &LinkMessage) -> Option<Link> {
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })?;
    let mac = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Address(bytes) => Mac::from_bytes(bytes),
        _ => None,
    });
    Some(Link { index: message.header.index, name, mac })
}

/// `IFA_LOCAL` is the host's own address; `IFA_ADDRESS` is the far end's where the interface is
/// point to point.
fn held(message: &AddressMessage) -> Option<Held> {
    message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(address)) => Some(Held {
            link: message.header.index,
            address: *address,
            prefix: message.header.prefix_len,
            secondary: message.header.flags.contains(AddressHeaderFlags::Secondary),
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
