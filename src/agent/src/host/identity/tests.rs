use super::*;
use crate::driver::tests::config;

fn find_at(named: Option<&str>, local: &[&str]) -> Result<String, String> {
    let named = named.map(|name| name.parse().expect("a name"));
    let local: Vec<_> = local.iter().map(|text| text.parse().expect("an address")).collect();
    find(&config(4242), "v.toml", named.as_ref(), &local)
        .map(|name| name.to_string())
        .map_err(|faults| faults.to_string())
}

#[test]
fn a_host_is_the_member_whose_address_it_has() {
    assert_eq!(find_at(None, &["127.0.0.1", "127.77.0.12"]), Ok("b".to_owned()));
    assert_eq!(find_at(None, &["127.77.0.30"]), Ok("w".to_owned()));
}

#[test]
fn a_name_goes_before_addresses() {
    assert_eq!(find_at(Some("a"), &["127.77.0.12"]), Ok("a".to_owned()));
    assert_eq!(find_at(Some("w"), &[]), Ok("w".to_owned()));
}

#[test]
fn a_host_that_is_nobody_is_told_the_cure() {
    for (named, local, expected) in [
        (
            None,
            vec!["10.0.0.1"],
            "v.toml: no node or witness has an address of this host (10.0.0.1)\n  cure: correct the address, or name this host with --node, one of a, b, w",
        ),
        (
            Some("c"),
            vec!["127.77.0.11"],
            "v.toml: the configuration has no node or witness c\n  cure: name one of a, b, w with --node",
        ),
        (
            None,
            vec!["127.77.0.11", "127.77.0.30"],
            "v.toml: this host has the addresses of a, w\n  cure: name this host with --node",
        ),
    ] {
        assert_eq!(find_at(named, &local), Err(expected.to_owned()));
    }
}

#[test]
fn the_kernel_tells_local_addresses() {
    let local = local_addresses().expect("interfaces are readable");
    assert!(local.contains(&Ipv4Addr::LOCALHOST), "{local:?}");
}
