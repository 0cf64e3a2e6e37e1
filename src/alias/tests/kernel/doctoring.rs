//! `vipward-alias doctor` on a real kernel.

use std::fs;

use crate::OWN;
use crate::metadata::{Metadata, Says};
use crate::namespace::{addresses, inside, interface, ip, set};
use crate::unit::{Unit, doctor};

#[test]
fn it_tells_three_truths_and_changes_nothing() {
    inside("doctoring::it_tells_three_truths_and_changes_nothing", |files| {
        interface("ens5", OWN);
        set("ipv4/conf/ens5/promote_secondaries", "1");
        ip("addr add 172.31.0.202/32 dev ens5");
        let root = files.join("root");
        fs::create_dir_all(&root).expect("a folder");
        let root = ["--root", root.to_str().expect("plain"), "--write"];
        let metadata = Metadata::serve(Says::Held(&["172.31.0.201"]));
        let before = addresses();

        let (code, said) = doctor(files, "follow", &metadata, &root);
        assert_eq!(code, 4, "{said}");
        for line in [
            "node resource-01 172.31.0.11 on ens5",
            "trouble  mysql: 172.31.0.201: alias follow; EC2: this node holds it; kernel: absent",
            "trouble  redis: 172.31.0.202: alias follow; EC2: another node holds it, or none does; kernel: /32",
            "fine     net.ipv4.conf.ens5.promote_secondaries: 1",
        ] {
            assert!(said.contains(line), "{line} in:\n{said}");
        }
        assert_eq!(addresses(), before);
        assert_eq!(fs::read_dir(root[1]).expect("a folder").count(), 0, "nothing is advised");

        let unit = Unit::follow(files, &metadata);
        unit.hear("alias added");
        unit.hear("alias removed");
        let (code, said) = doctor(files, "follow", &metadata, &root);
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains("trouble"), "{said}");

        metadata.say(Says::Status(503));
        let (code, said) = doctor(files, "follow", &metadata, &root);
        assert_eq!(code, 4, "{said}");
        assert!(
            said.contains("trouble  instance metadata: the instance metadata answered 503"),
            "{said}"
        );
    });
}
