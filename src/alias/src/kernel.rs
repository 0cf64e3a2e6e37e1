//! The netlink rim: dumps, adds, and the events that wake the unit. It decides nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures::TryStreamExt;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};

use crate::inventory::{Held, Inventory, Link, Mac};
use crate::plan::Repair;

/// The kernel answers in microseconds; whoever waits this long has lost the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What the unit asked of the kernel, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A dump of all interfaces.
    Links,
    /// A dump of all IPv4 addresses.
    Addresses,
    /// A new address.
    Add(Ipv4Addr),
}

impl fmt::Display for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Links => out.write_str("list the interfaces"),
            Self::Addresses => out.write_str("list the addresses"),
            Self::Add(vip) => write!(out, "add {vip}"),
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
    #[error("not permitted to {0}: run the unit as root or with CAP_NET_ADMIN")]
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
    fn already_there(&self) -> bool {
        matches!(self, Self::Refused { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
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

        Ok(Inventory::new(links.iter().filter_map(link), addresses.iter().filter_map(held)))
    }

    /// Adds a VIP as /32 and without a prefix route: the VPC routes by subnet, and a second
    /// connected route would shadow nothing but confuse. That somebody else was quicker is success.
    pub async fn add(&self, repair: &Repair) -> Result<(), KernelError> {
        let request = Request::Add(repair.vip);
        let mut add = self.handle.address().add(repair.link, repair.vip.into(), 32);
        let attributes = &mut add.message_mut().attributes;
        attributes.push(AddressAttribute::Flags(AddressFlags::Noprefixroute));
        let label = repair.label.as_ref().map(|label| AddressAttribute::Label(label.to_string()));
        attributes.extend(label);
        match answered(request, add.execute()).await {
            Err(refusal) if refusal.already_there() => Ok(()),
            outcome => outcome,
        }
    }
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
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
