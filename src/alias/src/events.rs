//! Netlink events about interfaces and IPv4 addresses. They wake the unit and say no more: what
//! they carry is not even read, because the pass that follows dumps everything afresh.

use futures::channel::mpsc::UnboundedReceiver;
use futures::{FutureExt, StreamExt};
use rtnetlink::MulticastGroup;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::SocketAddr;

use crate::kernel::KernelError;

/// Why the unit wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something about an interface or an address changed.
    Changed,
    /// More changed than the socket could hold; the kernel dropped events.
    Overrun,
}

impl Wake {
    fn by(message: &NetlinkMessage<RouteNetlinkMessage>) -> Self {
        match message.payload {
            NetlinkPayload::Overrun(_) => Self::Overrun,
            _ => Self::Changed,
        }
    }
}

/// The events since the last wake.
pub struct Events {
    messages: UnboundedReceiver<(NetlinkMessage<RouteNetlinkMessage>, SocketAddr)>,
}

impl Events {
    /// Subscribes. Do so before the first dump: then no change can fall between the two.
    pub fn subscribe() -> Result<Self, KernelError> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr];
        let (connection, _, messages) =
            rtnetlink::new_multicast_connection(&groups).map_err(KernelError::Socket)?;
        tokio::spawn(connection);
        Ok(Self { messages })
    }

    /// Waits for an event and takes all that are there with it: one pass answers them all.
    /// `None`: the socket is closed and nothing will ever come.
    pub async fn next(&mut self) -> Option<Wake> {
        let (first, _) = self.messages.next().await?;
        Some(self.and_all_there_are(Wake::by(&first)))
    }

    /// Takes all events that are there already.
    pub fn and_all_there_are(&mut self, mut wake: Wake) -> Wake {
        while let Some(Some((message, _))) = self.messages.next().now_or_never() {
            if Wake::by(&message) == Wake::Overrun {
                wake = Wake::Overrun;
            }
        }
        wake
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use rtnetlink::packet_core::NetlinkHeader;
    use rtnetlink::packet_route::address::AddressMessage;

    use super::*;

    fn changed() -> (NetlinkMessage<RouteNetlinkMessage>, SocketAddr) {
        let message = RouteNetlinkMessage::DelAddress(AddressMessage::default());
        (message.into(), SocketAddr::new(0, 0))
    }

    fn overrun() -> (NetlinkMessage<RouteNetlinkMessage>, SocketAddr) {
        let payload = NetlinkPayload::Overrun(Vec::new());
        let message = NetlinkMessage::new(NetlinkHeader::default(), payload);
        (message, SocketAddr::new(0, 0))
    }

    #[tokio::test]
    async fn a_burst_wakes_once_and_an_overrun_within_is_told() {
        let (sender, messages) = mpsc::unbounded();
        let mut events = Events { messages };
        for message in [changed(), changed()] {
            sender.unbounded_send(message).expect("the receiver lives");
        }
        assert_eq!(events.next().await, Some(Wake::Changed));
        for message in [changed(), overrun(), changed()] {
            sender.unbounded_send(message).expect("the receiver lives");
        }
        assert_eq!(events.next().await, Some(Wake::Overrun));
        assert_eq!(events.next().now_or_never(), None, "nothing is left");
        drop(sender);
        assert_eq!(events.next().await, None);
    }
}
