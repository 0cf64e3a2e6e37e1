//! What the kernel's messages mean.

use std::error::Error as _;
use std::num::NonZeroI32;

use rtnetlink::packet_core::ErrorMessage;

use super::*;
use crate::failure::Failure;

const VIP: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 202);

fn refusal(errno: i32) -> KernelError {
    refusal_to(Request::Add(VIP), errno)
}

fn refusal_to(request: Request, errno: i32) -> KernelError {
    let mut answer = ErrorMessage::default();
    answer.code = NonZeroI32::new(-errno);
    KernelError::new(request, rtnetlink::Error::NetlinkError(answer))
}

#[test]
fn an_errno_is_told_with_what_was_asked() {
    let error = refusal(99);
    assert_eq!(error.to_string(), "cannot add 172.31.0.202");
    let source = error.source().expect("the errno").to_string();
    assert!(source.contains("os error 99"), "{source}");
}

#[test]
fn a_missing_capability_is_told_with_its_cure() {
    let error = refusal(1);
    assert_eq!(error.to_string(), "not permitted to add 172.31.0.202");
    let hint = Failure::from(error).hint();
    assert_eq!(hint, Some("run the unit as root or with CAP_NET_ADMIN"));
}

#[test]
fn only_eexist_means_that_it_is_there_and_only_eaddrnotavail_that_it_is_gone() {
    const EEXIST: i32 = 17;
    for errno in 1..=133 {
        assert_eq!(refusal(errno).already_so(), errno == EEXIST, "errno {errno}");
        let refusal = refusal_to(Request::Remove(VIP), errno);
        assert_eq!(refusal.already_so(), errno == NO_SUCH_ADDRESS, "errno {errno}");
    }
}

#[test]
fn a_closed_socket_is_no_refusal() {
    let error = KernelError::new(Request::Links, rtnetlink::Error::RequestFailed);
    assert!(matches!(error, KernelError::Broken { .. }), "{error}");
}

#[test]
fn the_local_address_counts_not_the_far_end() {
    let mut message = AddressMessage::default();
    message.header.index = 7;
    message.header.prefix_len = 32;
    let far = AddressAttribute::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
    let local = AddressAttribute::Local(IpAddr::V4(VIP));
    message.attributes = vec![far, local];
    let want = Held { link: 7, address: VIP, prefix: 32, secondary: false };
    assert_eq!(held(&message), Some(want));
    message.header.flags = AddressHeaderFlags::Secondary | AddressHeaderFlags::Permanent;
    assert_eq!(held(&message), Some(Held { secondary: true, ..want }));
    assert_eq!(held(&AddressMessage::default()), None);
}

#[test]
fn an_interface_without_a_name_is_passed_over() {
    let mut message = LinkMessage::default();
    message.header.index = 2;
    assert_eq!(link(&message), None);
    message.attributes.push(LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]));
    message.attributes.push(LinkAttribute::IfName("ens5".to_owned()));
    let found = link(&message).expect("it has a name");
    assert_eq!((found.index, found.name.as_str()), (2, "ens5"));
    assert_eq!(found.mac, Mac::from_bytes(&[2, 0, 0, 0, 0, 1]));
}
