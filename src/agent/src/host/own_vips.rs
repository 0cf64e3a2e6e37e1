//! Which VIPs are addresses of this host, as the kernel says.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use if_addrs::{IfAddr, Ifv4Addr, get_if_addrs};

/// Those of `vips` that are; `None` when the kernel does not say. On which interface does not
/// matter: the kernel answers for all of them.
pub fn present(vips: impl IntoIterator<Item = Ipv4Addr>) -> Option<BTreeSet<Ipv4Addr>> {
    let own: Vec<IfAddr> = get_if_addrs().ok()?.into_iter().map(|one| one.addr).collect();
    let is_own = |vip: &Ipv4Addr| own.iter().any(|own| covers(own, *vip));
    Some(vips.into_iter().filter(is_own).collect())
}

/// Whether it is that address; a loopback interface has its whole network.
fn covers(own: &IfAddr, vip: Ipv4Addr) -> bool {
    let IfAddr::V4(Ifv4Addr { ip, netmask, .. }) = own else { return false };
    let mask = if ip.is_loopback() { netmask.to_bits() } else { u32::MAX };
    (ip.to_bits() ^ vip.to_bits()) & mask == 0
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
