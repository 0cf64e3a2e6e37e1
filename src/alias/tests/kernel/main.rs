//! The real program against the real kernel, each test in a network namespace of its own.

mod namespace;
mod unit;

use std::path::Path;

use namespace::{addresses, inside, interface, ip, ip_batch, without_net_admin};
use unit::{PROGRAM, Unit, run};
use vipward_alias::kernel::Kernel;
use vipward_alias::plan::Repair;

const OWN: &str = "172.31.0.11/20";
const VIPS: [&str; 2] = ["172.31.0.201", "172.31.0.202"];

#[test]
fn adds_restores_and_leaves_the_rest_alone() {
    inside("adds_restores_and_leaves_the_rest_alone", |files| {
        interface("ens5", OWN);
        // Similar to the VIPs, and one VIP itself on another interface.
        ip("addr add 172.31.0.20/32 dev ens5 label ens5:7");
        ip("addr add 172.31.0.2/20 dev ens5");
        ip("addr add 172.31.0.202/32 dev far");
        let foreign = addresses();

        let unit = Unit::start(files);
        assert_eq!(unit.hear("alias unit started")["interface"], "ens5");
        assert_eq!(unit.hear_two("alias added"), VIPS);
        let greeting: Vec<&str> = unit.greeting.lines().collect();
        assert_eq!(greeting, ["READY=1", "WATCHDOG=1", "STATUS=2 of 2 aliases on ens5"]);
        let mut whole = foreign.clone();
        whole.push("ens5 172.31.0.201/32 ens5:1 noprefixroute".to_owned());
        whole.push("ens5 172.31.0.202/32 ens5:2 noprefixroute".to_owned());
        whole.sort();
        assert_eq!(addresses(), whole);

        ip("addr del 172.31.0.202/32 dev ens5");
        let restored = unit.hear("alias restored");
        assert_eq!(restored["vip"], "172.31.0.202");
        assert_eq!(restored["interface"], "ens5");
        assert_eq!(restored["label"], "ens5:2");
        assert_eq!(addresses(), whole);

        // Somebody else's address that goes stays gone; the VIP that goes after it proves that the
        // unit looked.
        ip("addr del 172.31.0.20/32 dev ens5");
        ip("addr del 172.31.0.202/32 dev far");
        ip("addr del 172.31.0.201/32 dev ens5");
        unit.hear("alias restored");
        whole.retain(|line| !line.contains("172.31.0.20/") && !line.starts_with("far "));
        assert_eq!(addresses(), whole);
    });
}

#[test]
fn a_vip_with_the_subnets_prefix_is_not_doubled() {
    inside("a_vip_with_the_subnets_prefix_is_not_doubled", |files| {
        interface("ens5", OWN);
        ip("addr add 172.31.0.202/20 dev ens5");
        let unit = Unit::start(files);
        assert_eq!(unit.hear("alias added")["vip"], "172.31.0.201");
        let want = [
            "ens5 172.31.0.11/20 ens5",
            "ens5 172.31.0.201/32 ens5:1 noprefixroute",
            "ens5 172.31.0.202/20 ens5",
        ];
        assert_eq!(addresses(), want);

        // With the primary address the kernel drops its secondaries, the VIP among them: the MAC
        // still finds the way.
        ip("addr del 172.31.0.11/20 dev ens5");
        assert_eq!(unit.hear("alias restored")["vip"], "172.31.0.202");
        let want = [
            "ens5 172.31.0.201/32 ens5:1 noprefixroute",
            "ens5 172.31.0.202/32 ens5:2 noprefixroute",
        ];
        assert_eq!(addresses(), want);
    });
}

#[test]
fn an_interface_that_is_not_there_is_bad_configuration() {
    inside("an_interface_that_is_not_there_is_bad_configuration", |files| {
        interface("ens5", "172.31.0.1/20");
        let table = [
            (vec![], "no node has an address of this host; it has: lo, far, ens5 172.31.0.1"),
            (
                vec!["--node", "resource-01"],
                "node resource-01: no interface has the node's address 172.31.0.11; \
                     this host has: lo, far, ens5 172.31.0.1",
            ),
            (vec!["--node", "resource-03"], "no node is named resource-03"),
        ];
        for (arguments, want) in table {
            let output = run(files, &[PROGRAM.into()], &arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{said}");
            assert!(said.contains("vipward.toml: "), "where: {said}");
            assert!(said.contains(want), "what: {said}");
            assert!(said.contains("cure: "), "cure: {said}");
        }
        assert_eq!(addresses(), ["ens5 172.31.0.1/20 ens5"]);
    });
}

#[test]
fn the_interface_goes_down_and_away_and_comes_back() {
    inside("the_interface_goes_down_and_away_and_comes_back", |files| {
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
    inside("an_interface_that_returns_without_its_address_is_told_by_its_mac", |files| {
        interface("ens5", OWN);
        ip("link set ens5 address 02:00:00:00:00:01");
        let unit = Unit::start(files);
        unit.hear_two("alias added");
        ip("link del ens5");
        unit.hear("interface lost");
        // No address event comes of this, only one of the interface.
        ip("link add ens6 address 02:00:00:00:00:01 type veth peer name far");
        assert_eq!(unit.hear_two("alias restored"), VIPS);
    });
}

#[test]
fn a_flood_of_events_loses_nothing() {
    inside("a_flood_of_events_loses_nothing", |files| {
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

        unit.hear("netlink events lost");
        assert_eq!(unit.hear("alias restored")["vip"], "172.31.0.202");
        assert_eq!(addresses(), whole);
    });
}

#[test]
fn told_to_stop_it_leaves_the_aliases_in_place() {
    inside("told_to_stop_it_leaves_the_aliases_in_place", |files| {
        interface("ens5", OWN);
        for name in ["TERM", "INT"] {
            let unit = Unit::start(files);
            let whole = addresses();
            unit.signal(name);
            unit.hear_manager("STOPPING=1");
            assert_eq!(unit.hear("alias unit stopped")["aliases"], "left in place");
            assert_eq!(unit.end().code(), Some(0), "{name}");
            assert_eq!(addresses(), whole);
            assert_eq!(whole.len(), 3);
        }
    });
}

#[test]
fn a_name_too_long_for_a_label_gets_none() {
    inside("a_name_too_long_for_a_label_gets_none", |files| {
        interface("enp0s31f6abcdef", OWN);
        let unit = Unit::start(files);
        assert_eq!(unit.hear("alias added")["label"], "enp0s31f6abcdef");
        let held = addresses();
        let want = "enp0s31f6abcdef 172.31.0.201/32 enp0s31f6abcdef noprefixroute";
        assert!(held.contains(&want.to_owned()), "{held:?}");
    });
}

#[test]
fn check_says_what_it_would_do_and_does_nothing() {
    inside("check_says_what_it_would_do_and_does_nothing", |files| {
        interface("ens5", OWN);
        ip("link set ens5 address 02:00:00:00:00:01");
        ip("addr add 172.31.0.202/20 dev ens5");
        let before = addresses();
        // Looking needs no capability.
        let output = run(files, &without_net_admin(PROGRAM), &["--check"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "node      resource-01 172.31.0.11\n\
             interface ens5 02:00:00:00:00:01\n\
             alias     172.31.0.201/32 would be added label ens5:1 (mysql)\n\
             alias     172.31.0.202/20 is there (redis)\n"
        );
        assert_eq!(addresses(), before);
    });
}

#[test]
fn an_alias_that_is_there_is_success_and_an_interface_that_is_not_is_a_refusal() {
    inside("an_alias_that_is_there_is_success_and_an_interface_that_is_not_is_a_refusal", |_| {
        interface("ens5", OWN);
        let vip = "172.31.0.201".parse().expect("an address");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let kernel = Kernel::open().expect("a netlink socket");
            let inventory = kernel.inventory().await.expect("a dump");
            let link = inventory.links().find(|link| link.name == "ens5").expect("ens5").index;
            let repair = |link| Repair { link, vip, label: None };
            for _ in 0..2 {
                kernel.add(&repair(link)).await.expect("added, then there");
            }
            let refused = kernel.add(&repair(9999)).await.expect_err("no such interface");
            assert_eq!(refused.to_string(), "cannot add 172.31.0.201");
        });
        let want = "ens5 172.31.0.201/32 ens5 noprefixroute";
        assert_eq!(addresses(), ["ens5 172.31.0.11/20 ens5", want]);
    });
}

#[test]
fn without_the_capability_it_says_so_and_ends() {
    inside("without_the_capability_it_says_so_and_ends", |files: &Path| {
        interface("ens5", OWN);
        let output = run(files, &without_net_admin(PROGRAM), &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("run the unit as root or with CAP_NET_ADMIN"), "{said}");
    });
}
