//! Mode `static`: every VIP is there at all times, and nothing else is touched.

use std::path::Path;

use vipward_alias::kernel::Kernel;
use vipward_upkeep::plan::{Act, Repair};

use crate::namespace::{addresses, inside, interface, ip, without_net_admin};
use crate::unit::{PROGRAM, Unit, run};
use crate::{OWN, VIPS};

#[test]
fn adds_restores_and_leaves_the_rest_alone() {
    inside("keeping::adds_restores_and_leaves_the_rest_alone", |files| {
        interface("ens5", OWN);
        // Similar to the VIPs, and one VIP itself on another interface.
        ip("addr add 172.31.0.20/32 dev ens5 label ens5:7");
        ip("addr add 172.31.0.2/20 dev ens5");
        ip("addr add 172.31.0.202/32 dev far");
        let foreign = addresses();

        let unit = Unit::start(files);
        assert_eq!(unit.hear("alias unit started")["node"], "resource-01");
        assert_eq!(unit.hear("interface found")["interface"], "ens5");
        assert_eq!(unit.hear_two("alias added"), VIPS);
        let greeting: Vec<&str> = unit.greeting.lines().collect();
        assert_eq!(greeting, ["READY=1", "WATCHDOG=1", "STATUS=2 of 2 aliases on ens5"]);
        let mut whole = foreign.clone();
        whole.push("ens5 172.31.0.201/32 ens5 noprefixroute".to_owned());
        whole.push("ens5 172.31.0.202/32 ens5 noprefixroute".to_owned());
        whole.sort();
        assert_eq!(addresses(), whole);

        ip("addr del 172.31.0.202/32 dev ens5");
        let restored = unit.hear("alias restored");
        assert_eq!(restored["vip"], "172.31.0.202");
        assert_eq!(restored["interface"], "ens5");
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
    inside("keeping::a_vip_with_the_subnets_prefix_is_not_doubled", |files| {
        interface("ens5", OWN);
        ip("addr add 172.31.0.202/20 dev ens5");
        let unit = Unit::start(files);
        assert_eq!(unit.hear("alias added")["vip"], "172.31.0.201");
        let want = [
            "ens5 172.31.0.11/20 ens5",
            "ens5 172.31.0.201/32 ens5 noprefixroute",
            "ens5 172.31.0.202/20 ens5",
        ];
        assert_eq!(addresses(), want);

        // With the primary address the kernel drops its secondaries, the VIP among them: the MAC
        // still finds the way.
        ip("addr del 172.31.0.11/20 dev ens5");
        assert_eq!(unit.hear("alias restored")["vip"], "172.31.0.202");
        let want =
            ["ens5 172.31.0.201/32 ens5 noprefixroute", "ens5 172.31.0.202/32 ens5 noprefixroute"];
        assert_eq!(addresses(), want);
    });
}

#[test]
fn what_time_cannot_mend_is_bad_configuration() {
    inside("keeping::what_time_cannot_mend_is_bad_configuration", |files| {
        interface("ens5", "172.31.0.1/20");
        let no_address = "no node has an address of this host; it has: lo, far, ens5 172.31.0.1";
        let not_here = "node resource-01: no interface has the node's address 172.31.0.11; \
                        this host has: lo, far, ens5 172.31.0.1";
        let table = [
            (vec!["--check"], no_address),
            (vec!["doctor"], no_address),
            (vec!["--check", "--node", "resource-01"], not_here),
            (vec!["--node", "resource-03"], "the configuration has no node resource-03"),
        ];
        for (arguments, want) in table {
            let output = run(files, &[PROGRAM.into()], &arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{said}");
            assert!(said.contains("vipward.toml: "), "where: {said}");
            assert!(said.contains(want), "what: {said}");
            assert!(said.contains("cure: "), "cure: {said}");
        }
        ip("addr add 172.31.0.11/20 dev ens5");
        ip("addr add 172.31.0.11/20 dev far");
        let output = run(files, &[PROGRAM.into()], &[]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("several interfaces have the node's address"), "{said}");
    });
}

#[test]
fn told_to_stop_it_leaves_the_aliases_in_place() {
    inside("keeping::told_to_stop_it_leaves_the_aliases_in_place", |files| {
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
fn check_says_what_it_would_do_and_does_nothing() {
    inside("keeping::check_says_what_it_would_do_and_does_nothing", |files| {
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
             alias     172.31.0.201/32 would be added (mysql)\n\
             alias     172.31.0.202/20 is there (redis)\n"
        );
        assert_eq!(addresses(), before);
    });
}

#[test]
fn what_is_so_already_is_success_and_an_interface_that_is_not_there_a_refusal() {
    inside(
        "keeping::what_is_so_already_is_success_and_an_interface_that_is_not_there_a_refusal",
        |_| {
            interface("ens5", OWN);
            let vip = "172.31.0.201".parse().expect("an address");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let kernel = Kernel::open().expect("a netlink socket");
                let inventory = kernel.inventory().await.expect("a dump");
                let link = inventory.links().find(|link| link.name == "ens5").expect("ens5").index;
                let repair = |link, act| Repair { link, vip, act };
                for _ in 0..2 {
                    let add = repair(link, Act::Add);
                    kernel.carry_out(&add).await.expect("added, then there");
                }
                let want = "ens5 172.31.0.201/32 ens5 noprefixroute";
                assert_eq!(addresses(), ["ens5 172.31.0.11/20 ens5", want]);
                for _ in 0..2 {
                    let remove = repair(link, Act::Remove(32));
                    kernel.carry_out(&remove).await.expect("removed, then gone");
                }
                for (act, want) in [(Act::Add, "add"), (Act::Remove(32), "remove")] {
                    let refused = kernel.carry_out(&repair(9999, act)).await;
                    let refused = refused.expect_err("no such interface").to_string();
                    assert_eq!(refused, format!("cannot {want} 172.31.0.201"));
                }
            });
            assert_eq!(addresses(), ["ens5 172.31.0.11/20 ens5"]);
        },
    );
}

#[test]
fn without_the_capability_it_says_so_and_ends() {
    inside("keeping::without_the_capability_it_says_so_and_ends", |files: &Path| {
        interface("ens5", OWN);
        let output = run(files, &without_net_admin(PROGRAM), &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("run the unit as root or with CAP_NET_ADMIN"), "{said}");
    });
}
