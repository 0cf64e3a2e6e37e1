//! Which VIPs are addresses of this host, as the kernel says.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;

/// Those of `vips` that are; `None` when the kernel does not say. On which interface does not
/// matter: the kernel answers for all of them.
pub fn present(vips: impl IntoIterator<Item = Ipv4Addr>) -> Option<BTreeSet<Ipv4Addr>> {
    let own: Vec<_> = getifaddrs().ok()?.collect();
    let is_own = |vip: &Ipv4Addr| own.iter().any(|address| covers(address, *vip));
    Some(vips.into_iter().filter(is_own).collect())
}

/// Whether an interface has the address; a loopback interface has its whole network.
fn covers(address: &InterfaceAddress, vip: Ipv4Addr) -> bool {
    let bits = |storage: Option<&nix::sys::socket::SockaddrStorage>| {
        Some(storage?.as_sockaddr_in()?.ip().to_bits())
    };
    let Some(own) = bits(address.address.as_ref()) else { return false };
    let is_loopback = address.flags.contains(InterfaceFlags::IFF_LOOPBACK);
    let mask = bits(address.netmask.as_ref()).filter(|_| is_loopback).unwrap_or(u32::MAX);
    (own ^ vip.to_bits()) & mask == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_local_is_present_and_what_is_not_is_not() {
        let loopback = Ipv4Addr::new(127, 77, 0, 200);
        let elsewhere = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(present([loopback, elsewhere]), Some(BTreeSet::from([loopback])));
    }
}
