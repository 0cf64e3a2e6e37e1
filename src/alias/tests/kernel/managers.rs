//! Network managers that add and remove addresses beside the unit: a real systemd-networkd and a
//! real ifupdown, and what the others do, step by step.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::metadata::{Metadata, Says};
use crate::namespace::{addresses, await_that, inside, inside_as_root, interface, ip, run};
use crate::networkd::Networkd;
use crate::unit::{Unit, doctor};
use crate::{OWN, VIPS};

const NETWORK: &str =
    "[Match]\nName=ens5\n[Network]\nAddress=172.31.0.11/20\nLinkLocalAddressing=no\n";

fn has(address: &str) -> bool {
    addresses().iter().any(|line| line.contains(&format!(" {address}/")))
}

fn networkd(files: &Path) -> Networkd {
    ip("link add ens5 type veth peer name far");
    ip("link set far up");
    Networkd::start(files, NETWORK)
}

#[test]
fn a_reload_of_networkd_drops_vips_until_the_drop_in_is_there() {
    let name = "managers::a_reload_of_networkd_drops_vips_until_the_drop_in_is_there";
    inside_as_root(name, |files| {
        let networkd = networkd(files);
        let metadata = Metadata::serve(Says::Held(&[]));
        let unit = Unit::start(files);
        unit.hear_two("alias added");

        // Another address of this host, such as amazon-ec2-net-utils adds: the reload drops ours.
        networkd.ec2_net_utils(&["172.31.0.209"]);
        assert_eq!(unit.hear_two("alias restored"), VIPS);
        await_that("networkd has added its own", || has("172.31.0.209"));

        let write = ["--write", "--root", networkd.root()];
        let (code, said) = doctor(files, "static", &metadata, &write);
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("trouble  systemd-networkd: manages ens5 by"), "{said}");
        let drop_in = "root/etc/systemd/network/10-ens5.network.d/50-vipward.conf";
        assert!(said.contains(&format!("{drop_in}; now run `networkctl reload`")), "{said}");
        let drop_in = files.join(drop_in);
        let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
        let directory = drop_in.parent().expect("it is in one");
        assert_eq!((mode(directory), mode(&drop_in)), (0o755, 0o644), "networkd is not root");
        networkd.reload();
        let (_, said) = doctor(files, "static", &metadata, &write[1..]);
        assert!(said.contains("fine     systemd-networkd: manages ens5 by"), "{said}");
        assert!(said.contains("with KeepConfiguration=static"), "{said}");

        // From now on a reload leaves them: the next repair is of what is removed after it.
        let repairs = || unit.report("mysql", |_| true)["repairs"].as_u64().expect("a number");
        let before = repairs();
        networkd.ec2_net_utils(&["172.31.0.209", "172.31.0.210"]);
        await_that("networkd has added its own", || has("172.31.0.210"));
        ip("addr del 172.31.0.201/32 dev ens5");
        unit.report("mysql", |state| state["repairs"].as_u64() > Some(before));
        assert_eq!(repairs(), before + 1);
    });
}

#[test]
fn what_amazon_ec2_net_utils_takes_away_static_puts_back() {
    inside_as_root("managers::what_amazon_ec2_net_utils_takes_away_static_puts_back", |files| {
        let networkd = networkd(files);
        networkd.ec2_net_utils(&["172.31.0.201"]);
        await_that("it has added the VIP", || has("172.31.0.201"));
        let unit = Unit::start(files);
        assert_eq!(unit.hear("alias added")["vip"], VIPS[1], "the other is there");
        // The VIP moves away: the metadata no longer name it.
        networkd.ec2_net_utils(&[]);
        assert_eq!(unit.hear_two("alias restored"), VIPS);
        assert!(has(VIPS[0]) && has(VIPS[1]));
        // Both add it, in whatever order: networkd must not take ours for a broken one of its own.
        for _ in 0..5 {
            networkd.ec2_net_utils(&["172.31.0.201"]);
            networkd.ec2_net_utils(&[]);
        }
        await_that("both are there", || has(VIPS[0]) && has(VIPS[1]));
        await_that("networkd has not given the interface up", || networkd.is_well());
    });
}

#[test]
fn with_follow_amazon_ec2_net_utils_and_the_unit_agree() {
    inside_as_root("managers::with_follow_amazon_ec2_net_utils_and_the_unit_agree", |files| {
        let networkd = networkd(files);
        let metadata = Metadata::serve(Says::Held(&["172.31.0.201"]));
        let unit = Unit::follow(files, &metadata);
        assert_eq!(unit.hear("alias added")["vip"], VIPS[0]);
        networkd.ec2_net_utils(&["172.31.0.201"]);
        unit.report("mysql", |state| state["present"] == true && state["ec2"] == "held");
        let copies = || addresses().iter().filter(|line| line.contains(VIPS[0])).count();
        await_that("the kernel knows one /32", || copies() == 1);

        metadata.say(Says::Held(&[]));
        unit.report("mysql", |state| state["present"] == false && state["ec2"] == "not-held");
        networkd.ec2_net_utils(&[]);
        await_that("the VIP is gone", || copies() == 0);
        await_that("the node's own is there", || has("172.31.0.11"));
        await_that("networkd has not given the interface up", || networkd.is_well());
    });
}

#[test]
fn after_ifdown_and_ifup_everything_is_there_again() {
    inside("managers::after_ifdown_and_ifup_everything_is_there_again", |files| {
        ip("link add ens5 type veth peer name far");
        ip("link set far up");
        let ifupdown = Ifupdown::new(
            files,
            "iface ens5 inet static\n  address 172.31.0.11/20\n\
             iface ens5:7 inet static\n  address 172.31.0.201/20\n",
        );
        ifupdown.run("ifup", "ens5");
        let metadata = Metadata::serve(Says::Held(&["172.31.0.202"]));
        let unit = Unit::follow(files, &metadata);
        assert_eq!(unit.hear("alias added")["vip"], VIPS[1]);
        // A stanza from the days before vipward.
        unit.report("mysql", |state| state["ec2"] == "not-held");
        ifupdown.run("ifup", "ens5:7");
        assert_eq!(unit.hear("stale alias removed")["vip"], VIPS[0]);

        ifupdown.run("ifdown", "ens5");
        ifupdown.run("ifup", "ens5");
        await_that("all is there again", || has("172.31.0.11") && has(VIPS[1]));
        assert!(!has(VIPS[0]));
    });
}

/// The real ifupdown, with files of its own and without the host's scripts.
struct Ifupdown {
    interfaces: String,
    state: String,
}

impl Ifupdown {
    fn new(files: &Path, interfaces: &str) -> Self {
        let path = files.join("interfaces");
        fs::write(&path, interfaces).expect("the file is written");
        Self {
            interfaces: path.display().to_string(),
            state: format!("--state-dir={}", files.display()),
        }
    }

    fn run(&self, program: &str, interface: &str) {
        let options = ["--no-scripts", "-i", &self.interfaces, &self.state];
        run(program, &[&options[..], &[interface]].concat());
    }
}

#[test]
fn nm_cloud_setup_swaps_prefixes_and_no_vip_is_doubled_or_lost() {
    inside("managers::nm_cloud_setup_swaps_prefixes_and_no_vip_is_doubled_or_lost", |files| {
        interface("ens5", OWN);
        let unit = Unit::start(files);
        unit.hear_two("alias added");
        // Its pass: every address that the metadata name, with the subnet's prefix; no others; and
        // policy routes, since there is a second address.
        ip("addr add 172.31.0.201/20 dev ens5");
        ip("addr del 172.31.0.201/32 dev ens5");
        ip("rule add from 172.31.0.201 table 30401");
        ip("addr del 172.31.0.202/32 dev ens5");
        assert_eq!(unit.hear("alias restored")["vip"], VIPS[1]);
        let copies = |vip: &str| {
            addresses().into_iter().filter(|line| line.contains(vip)).collect::<Vec<_>>()
        };
        assert_eq!(copies(VIPS[0]), ["ens5 172.31.0.201/20 ens5"]);
        // The VIP moves away: it takes its own copy back.
        ip("addr del 172.31.0.201/20 dev ens5");
        assert_eq!(unit.hear("alias restored")["vip"], VIPS[0]);
        assert_eq!(copies(VIPS[0]), ["ens5 172.31.0.201/32 ens5 noprefixroute"]);
    });
}
