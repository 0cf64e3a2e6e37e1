//! The doctor over trees of files, each like a host that people have: `fixtures/doctor`.

use std::path::PathBuf;

use super::*;
use vipward_upkeep::inventory::{Held, Mac};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/doctor");

fn tree(name: &str) -> Tree {
    let root = PathBuf::from(FIXTURES).join(name);
    assert!(root.is_dir(), "{} is a fixture", root.display());
    Tree::new(&root)
}

fn config() -> Config {
    let text = r#"
        cluster = "prod-db"
        subnet = "172.31.0.0/20"
        [[node]]
        name = "resource-01"
        address = "172.31.0.11"
        eni = "eni-0a1b2c3d4e5f60001"
        [[node]]
        name = "resource-02"
        address = "172.31.0.124"
        eni = "eni-0a1b2c3d4e5f60002"
        [[service]]
        name = "mysql"
        vip = "172.31.0.201"
        check = { kind = "tcp", port = 3306 }
        [[service]]
        name = "redis"
        vip = "172.31.0.202"
        alias = "follow"
        check = { kind = "redis", port = 6379 }
    "#;
    Config::parse("vipward.toml", text).expect("the fixture is good")
}

fn link(index: u32, name: &str) -> Link {
    Link { index, name: name.to_owned(), mac: Mac::from_bytes(&[2, 0, 0, 0, 0, 1]) }
}

/// Interface 2 is the node's; each address is interface, last byte, prefix and whether secondary.
fn said(
    addresses: &[(u32, u8, u8, bool)],
    ec2: Answer,
    look: impl Fn(&Host<'_>) -> Vec<Finding>,
) -> String {
    let held = addresses.iter().map(|(link, last, prefix, secondary)| Held {
        link: *link,
        address: [172, 31, 0, *last].into(),
        prefix: *prefix,
        secondary: *secondary,
    });
    let (config, link_2) = (config(), link(2, "ens5"));
    let inventory = Inventory::new([link_2.clone(), link(3, "ens6")], held);
    let host = Host { config: &config, link: &link_2, inventory: &inventory, ec2 };
    look(&host).iter().map(ToString::to_string).collect()
}

const OWN: (u32, u8, u8, bool) = (2, 11, 20, false);

fn holding(last_bytes: &[u8]) -> Answer {
    Answer::Addresses(last_bytes.iter().map(|last| [172, 31, 0, *last].into()).collect())
}

/// What it says of a host's network managers.
fn managers(name: &str) -> String {
    said(&[OWN], holding(&[11]), |host| {
        let tree = tree(name);
        let clouds = [cloud::cloud_init(&tree), cloud::nm_cloud_setup(&tree)];
        let mut findings = networkd::examine(&tree, host);
        findings.extend(clouds.into_iter().flatten());
        findings.extend(written::examine(&tree, host));
        findings
    })
}

#[test]
fn amazon_linux_2023() {
    insta::assert_snapshot!(managers("al2023"));
    insta::assert_snapshot!(managers("al2023-mended"));
}

#[test]
fn ubuntu_with_a_vip_baked_in() {
    insta::assert_snapshot!(managers("ubuntu"));
}

#[test]
fn red_hat_with_nm_cloud_setup() {
    insta::assert_snapshot!(managers("rhel"));
    insta::assert_snapshot!(managers("rhel-mended"));
}

#[test]
fn debian_with_ifupdown_and_keepalived() {
    insta::assert_snapshot!(managers("debian"));
}

#[test]
fn a_host_with_nothing_to_say_about() {
    assert_eq!(managers("kernel-good"), "");
}

#[test]
fn kernel_settings() {
    let look = |name: &'static str| move |host: &Host<'_>| settings::examine(&tree(name), host);
    insta::assert_snapshot!(said(&[OWN], holding(&[11]), look("kernel-good")));
    // The VIP is older than the node's own address, and two interfaces are in the subnet.
    let bad = [(2, 201, 20, false), (2, 11, 20, true), (3, 12, 20, false)];
    insta::assert_snapshot!(said(&bad, holding(&[11]), look("kernel-bad")));
}

#[test]
fn three_truths() {
    let alike = [OWN, (2, 201, 32, false), (2, 202, 20, true)];
    insta::assert_snapshot!(said(&alike, holding(&[11, 201, 202]), truths::examine));
    // The static one is missing, the one that follows is stale, and one is on another interface.
    let apart = [OWN, (2, 202, 20, true), (2, 202, 32, false), (3, 201, 32, false)];
    insta::assert_snapshot!(said(&apart, holding(&[11, 201]), truths::examine));
    let unknown = Answer::Unknown("no answer".to_owned());
    insta::assert_snapshot!(said(&[OWN], unknown, truths::examine));
}

#[test]
fn only_the_advised_files_are_written_and_then_all_is_well() {
    let root = std::env::temp_dir().join(format!("vipward-doctor-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    for name in ["al2023", "rhel"] {
        copy(&PathBuf::from(FIXTURES).join(name), &root);
    }
    let tree = Tree::new(&root);
    let look = || {
        let (config, link) = (config(), link(2, "ens5"));
        let inventory = Inventory::default();
        let host = Host { config: &config, link: &link, inventory: &inventory, ec2: holding(&[]) };
        let clouds = [cloud::cloud_init(&tree), cloud::nm_cloud_setup(&tree)];
        let mut findings = networkd::examine(&tree, &host);
        findings.extend(clouds.into_iter().flatten());
        findings
    };
    let before = files(&root);
    let advised: Vec<DropIn> = look().into_iter().filter_map(|finding| finding.drop_in).collect();
    assert_eq!(advised.len(), 3, "{advised:?}");
    for drop_in in &advised {
        write_out(&tree, drop_in).expect("it is written");
    }
    let edited = tree.place(&advised[0].path);
    fs::write(&edited, "edited").expect("it is ours");
    let said = write_out(&tree, &advised[0]).expect("it is looked at");
    assert!(said.starts_with("left     "), "{said}");
    assert_eq!(fs::read_to_string(&edited).expect("it is there"), "edited");
    fs::write(&edited, &advised[0].content).expect("it is ours");

    let new: Vec<PathBuf> =
        files(&root).into_iter().filter(|file| !before.contains(file)).collect();
    let mut wanted: Vec<PathBuf> =
        advised.iter().map(|drop_in| tree.place(&drop_in.path)).collect();
    wanted.sort();
    assert_eq!(new, wanted);
    let trouble: Vec<Finding> =
        look().into_iter().filter(|finding| finding.level == Level::Trouble).collect();
    assert_eq!(trouble, []);
    fs::remove_dir_all(&root).expect("it was ours");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        if entry.path().is_dir() {
            all.extend(files(&entry.path()));
        } else {
            all.push(entry.path());
        }
    }
    all.sort();
    all
}

#[test]
fn what_somebody_else_has_written_is_left_alone_whatever_it_is() {
    let root = std::env::temp_dir().join(format!("vipward-foreign-{}", std::process::id()));
    let tree = Tree::new(&root);
    let drop_in = DropIn { path: "/etc/a/b.conf".into(), content: "ours\n".into(), then: "go on" };
    let place = root.join("etc/a/b.conf");
    let said = || write_out(&tree, &drop_in).expect("it can be written");
    assert!(said().starts_with("written"));
    assert!(said().starts_with("written"), "it is as it should be");
    for foreign in [&b"theirs\n"[..], b"latin \xe9\n"] {
        fs::write(&place, foreign).expect("writable");
        assert!(said().starts_with("left"));
        assert_eq!(fs::read(&place).expect("readable"), foreign);
    }
    fs::remove_file(&place).expect("it is there");
    std::os::unix::fs::symlink(root.join("nowhere"), &place).expect("writable");
    assert!(said().starts_with("left"));
    assert!(!root.join("nowhere").exists());
    fs::remove_dir_all(&root).expect("it was ours");
}
