//! Mode `follow`: the alias comes with the VIP and goes with it, and never on doubt.

use crate::metadata::{Metadata, Says};
use crate::namespace::{addresses, inside, interface, ip, set};
use crate::unit::Unit;
use crate::{OWN, VIPS};

/// Without the loopback interface, which the scripted metadata need.
fn held() -> Vec<String> {
    addresses().into_iter().filter(|line| !line.starts_with("lo ")).collect()
}

#[test]
fn it_comes_with_the_vip_and_goes_with_it_and_neighbours_stay() {
    inside("following::it_comes_with_the_vip_and_goes_with_it_and_neighbours_stay", |files| {
        interface("ens5", OWN);
        ip("addr add 172.31.0.20/32 dev ens5");
        ip("addr add 172.31.0.2/20 dev ens5");
        ip("addr add 172.31.0.202/32 dev far");
        let foreign = held();
        // Baked in at first boot, as cloud-init does, and once more as amazon-ec2-net-utils does.
        ip("addr add 172.31.0.201/20 dev ens5");
        ip("addr add 172.31.0.201/32 dev ens5");
        let metadata = Metadata::serve(Says::Held(&[]));
        let unit = Unit::follow(files, &metadata);
        for prefix in [20, 32] {
            let gone = unit.hear("alias removed");
            assert_eq!((gone["vip"].as_str(), &gone["prefix"]), (Some(VIPS[0]), &prefix.into()));
        }
        assert_eq!(held(), foreign);

        metadata.say(Says::Held(&["172.31.0.202"]));
        let added = unit.hear("alias added");
        assert_eq!((&added["vip"], &added["interface"]), (&VIPS[1].into(), &"ens5".into()));
        let state = unit.report("redis", |state| state["present"] == true);
        assert_eq!((state["ec2"].as_str(), &state["drift"]), (Some("held"), &().into()));

        ip("addr del 172.31.0.202/32 dev ens5");
        assert_eq!(unit.hear("alias restored")["vip"], VIPS[1]);
        ip("addr add 172.31.0.201/20 dev ens5");
        assert_eq!(unit.hear("stale alias removed")["vip"], VIPS[0]);
        unit.report("redis", |state| state["repairs"] == 1);
        unit.report("mysql", |state| state["repairs"] == 1);

        metadata.say(Says::Held(&[]));
        assert_eq!(unit.hear("alias removed")["vip"], VIPS[1]);
        assert_eq!(held(), foreign);
        let state = unit.report("redis", |state| state["present"] == false);
        assert_eq!(state["ec2"], "not-held");
    });
}

#[test]
fn on_doubt_everything_stays_as_it_is() {
    inside("following::on_doubt_everything_stays_as_it_is", |files| {
        interface("ens5", OWN);
        // Nobody knows whose this one is.
        ip("addr add 172.31.0.201/20 dev ens5");
        let metadata = Metadata::serve(Says::Status(503));
        let unit = Unit::follow(files, &metadata);
        let cause = unit.hear("instance metadata say nothing: aliases stay as they are");
        assert!(cause["cause"].as_str().is_some_and(|cause| cause.contains("503")), "{cause}");
        let before = held();
        for says in [Says::Status(503), Says::Status(404), Says::Nothing, Says::Silence] {
            metadata.say(says);
            metadata.await_questions(1);
        }
        // One more question: the last answer has been heard.
        metadata.await_questions(1);
        assert_eq!(held(), before);

        // It holds the second, then doubt: what somebody takes away then still comes back.
        metadata.say(Says::Held(&["172.31.0.202"]));
        assert_eq!(unit.hear("alias added")["vip"], VIPS[1]);
        metadata.say(Says::Status(503));
        metadata.await_questions(2);
        ip("addr del 172.31.0.202/32 dev ens5");
        assert_eq!(unit.hear("alias restored")["vip"], VIPS[1]);
        let state = unit.report("redis", |_| true);
        assert_eq!((state["ec2"].as_str(), &state["drift"]), (Some("held"), &().into()));
    });
}

#[test]
fn another_eni_than_the_files_is_doubt() {
    inside("following::another_eni_than_the_files_is_doubt", |files| {
        interface("ens5", OWN);
        ip("addr add 172.31.0.201/32 dev ens5");
        let metadata = Metadata::serve(Says::Held(&[]));
        metadata.be("eni-0a1b2c3d4e5f60009");
        let unit = Unit::follow(files, &metadata);
        let said = unit.hear("instance metadata say nothing: aliases stay as they are");
        let cause = said["cause"].as_str().expect("it is told");
        let want = "is eni-0a1b2c3d4e5f60009, but the configuration says eni-0a1b2c3d4e5f60001";
        assert!(cause.ends_with(want), "{cause}");
        metadata.await_questions(2);
        assert_eq!(held().len(), 2);
    });
}

#[test]
fn a_stale_alias_that_would_take_others_along_stays() {
    let name = "following::a_stale_alias_that_would_take_others_along_stays";
    inside(name, |files| {
        // The VIP came first, so the kernel calls the node's own address its secondary.
        interface("ens5", "172.31.0.201/20");
        ip(&format!("addr add {OWN} dev ens5"));
        for place in ["all", "ens5"] {
            set(&format!("ipv4/conf/{place}/promote_secondaries"), "0");
        }
        let before = held();
        let metadata = Metadata::serve(Says::Held(&[]));
        let unit = Unit::follow(files, &metadata);
        unit.hear("stale alias not removed: others would go with it");
        let state = unit.report("mysql", |state| !state["drift"].is_null());
        assert_eq!(state["drift"], "stale, but the kernel would take 172.31.0.11 away with it");
        assert_eq!(held(), before);

        set("ipv4/conf/ens5/promote_secondaries", "1");
        ip("addr add 172.31.0.21/32 dev ens5");
        unit.hear("alias removed");
        let left = held();
        assert!(left.contains(&"ens5 172.31.0.11/20 ens5".to_owned()), "{left:?}");
        assert_eq!(left.len(), 2);
    });
}
