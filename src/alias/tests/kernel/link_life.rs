//! Interfaces come late, go, come back under other names, and events come by the thousand.

use crate::namespace::{addresses, inside, interface, ip, ip_batch};
use crate::unit::Unit;
use crate::{OWN, VIPS};

#[test]
fn the_interface_goes_down_and_away_and_comes_back() {
    inside("link_life::the_interface_goes_down_and_away_and_comes_back", |files| {
        interface("ens5", OWN);
        let unit = Unit::start(files);
        unit.hear_two("alias added");
        let whole = addresses();

        ip("link set ens5 down");
        ip("link set ens5 up");
        ip("addr del 172.31.0.201/32 dev ens5");
        unit.hear("alias restored");
        assert_eq!(addresses(), whole);

        ip("link del ens5");
        unit.hear("interface lost");
        interface("ens6", OWN);
        assert_eq!(unit.hear("interface found")["interface"], "ens6");
        assert_eq!(unit.hear_two("alias restored"), VIPS);
        let moved: Vec<String> = whole.iter().map(|line| line.replace("ens5", "ens6")).collect();
        assert_eq!(addresses(), moved);
    });
}

#[test]
fn an_interface_that_returns_without_its_address_is_told_by_its_mac() {
    inside(
        "link_life::an_interface_that_returns_without_its_address_is_told_by_its_mac",
        |files| {
            interface("ens5", OWN);
            ip("link set ens5 address 02:00:00:00:00:01");
            let unit = Unit::start(files);
            unit.hear_two("alias added");
            ip("link del ens5");
            unit.hear("interface lost");
            // No address event comes of this, only one of the interface.
            ip("link add ens6 address 02:00:00:00:00:01 type veth peer name far");
            assert_eq!(unit.hear_two("alias restored"), VIPS);
        },
    );
}

const FLOODED: [&str; 2] = ["alias restored", "netlink events lost"];

#[test]
fn a_flood_of_events_loses_nothing() {
    inside("link_life::a_flood_of_events_loses_nothing", |files| {
        interface("ens5", OWN);
        let unit = Unit::start(files);
        unit.hear_two("alias added");
        let whole = addresses();

        // While the unit is stopped, more events than its socket can hold: the VIP's is among the
        // dropped.
        unit.signal("STOP");
        let hosts = (0..20_u8).flat_map(|net| (1..=250_u8).map(move |host| (net, host)));
        let hosts: Vec<_> =
            hosts.map(|(net, host)| format!("10.9.{net}.{host}/32 dev far")).collect();
        let add: Vec<_> = hosts.iter().map(|host| format!("addr add {host}")).collect();
        let del: Vec<_> = hosts.iter().map(|host| format!("addr del {host}")).collect();
        ip_batch(files, &add);
        ip("addr del 172.31.0.202/32 dev ens5");
        ip_batch(files, &del);
        unit.signal("CONT");

        // The pass sees what the dropped event would have told; which is logged first is chance.
        let mut heard = [unit.hear_one_of(&FLOODED), unit.hear_one_of(&FLOODED)];
        heard.sort_unstable();
        assert_eq!(heard, FLOODED);
        assert_eq!(addresses(), whole);
    });
}

#[test]
fn a_unit_that_is_there_before_its_interface_waits_for_it() {
    inside("link_life::a_unit_that_is_there_before_its_interface_waits_for_it", |files| {
        // At boot: no interface at all, then one without an address, then all is there.
        let unit = Unit::start(files);
        assert!(unit.greeting.contains("STATUS=waiting for the interface: "), "{}", unit.greeting);
        let lost = unit.hear("interface lost");
        let cause = lost["cause"].as_str().expect("it is told");
        assert!(cause.starts_with("no node has an address of this host"), "{cause}");
        let state = unit.report("mysql", |state| !state["drift"].is_null());
        assert_eq!(state["present"], false);
        ip("link add ens5 type veth peer name far");
        ip("link set ens5 up");
        ip(&format!("addr add {OWN} dev ens5"));
        assert_eq!(unit.hear("interface found")["interface"], "ens5");
        assert_eq!(unit.hear_two("alias added"), VIPS);
        let state = unit.report("mysql", |state| state["drift"].is_null());
        assert_eq!(state["present"], true);
    });
}

#[test]
fn a_new_name_and_a_new_mtu_change_nothing() {
    inside("link_life::a_new_name_and_a_new_mtu_change_nothing", |files| {
        interface("ens5", OWN);
        let unit = Unit::start(files);
        unit.hear_two("alias added");
        let whole = addresses();
        ip("link set ens5 mtu 9001");
        ip("link set ens5 down");
        ip("link set ens5 name eth0");
        assert_eq!(unit.hear("interface found")["interface"], "eth0");
        ip("link set eth0 up");
        ip("addr del 172.31.0.201/32 dev eth0");
        assert_eq!(unit.hear("alias restored")["interface"], "eth0");
        // The kernel makes labels of its own for renamed ones.
        let bare = |line: &String| {
            let words: Vec<&str> = line.split(' ').collect();
            words[1].to_owned()
        };
        let held: Vec<String> = addresses().iter().map(bare).collect();
        assert_eq!(held, whole.iter().map(bare).collect::<Vec<_>>());
    });
}

#[test]
fn among_thousands_of_events_a_vip_that_goes_is_brought_back() {
    inside("link_life::among_thousands_of_events_a_vip_that_goes_is_brought_back", |files| {
        interface("ens5", OWN);
        let unit = Unit::start(files);
        unit.hear_two("alias added");
        let whole = addresses();
        // Neighbours come and go on the very interface, and the VIP goes in their midst.
        let round = |n: u32| {
            let neighbour = format!("10.9.{}.{}/32 dev ens5", n / 250, 1 + n % 250);
            let lost = (n == 1000).then(|| "addr del 172.31.0.202/32 dev ens5".to_owned());
            [Some(format!("addr add {neighbour}")), lost, Some(format!("addr del {neighbour}"))]
        };
        let lines: Vec<String> = (0..2500).flat_map(round).flatten().collect();
        ip_batch(files, &lines);
        assert_eq!(unit.hear("alias restored")["vip"], "172.31.0.202");
        assert_eq!(addresses(), whole);
    });
}
