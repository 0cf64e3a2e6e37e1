//! Random neighbours on the real kernel, which has rules of its own about what goes with what.

use std::collections::BTreeSet;

use crate::metadata::{Metadata, Says};
use crate::namespace::{addresses, inside, interface, ip, set};
use crate::unit::Unit;
use crate::{OWN, VIPS};

const ROUNDS: u64 = 10;
/// Among them addresses that begin or end like a VIP, and the VIPs themselves.
const LAST_BYTES: [u8; 8] = [1, 2, 20, 21, 102, 121, 201, 202];

/// Good enough to mix addresses, and the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Interface, address and prefix length, in the order in which they are added.
fn draw(random: &mut Random) -> Vec<String> {
    let mut drawn = vec![format!("{OWN} dev ens5")];
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        let pick = random.below(LAST_BYTES.len() as u64);
        let last = LAST_BYTES[usize::try_from(pick).expect("small")];
        let prefix = [20, 24, 32][usize::try_from(random.below(3)).expect("small")];
        let device = if random.below(4) == 0 { "far" } else { "ens5" };
        let address = format!("172.31.0.{last}/{prefix} dev {device}");
        if seen.insert(address.clone()) {
            let at = random.below(drawn.len() as u64 + 1);
            drawn.insert(usize::try_from(at).expect("small"), address);
        }
    }
    drawn
}

/// Everything but the VIPs on the node's interface, without what the kernel makes of it.
fn foreign() -> BTreeSet<String> {
    let vip = |line: &str| VIPS.iter().any(|vip| line.starts_with(&format!("ens5 {vip}/")));
    let all = addresses().into_iter().filter(|line| !line.starts_with("lo ") && !vip(line));
    all.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn foreign_addresses_stay_whatever_they_are_and_whatever_ec2_says() {
    inside("neighbours::foreign_addresses_stay_whatever_they_are_and_whatever_ec2_says", |files| {
        interface("ens5", OWN);
        for round in 0..ROUNDS {
            let mut random = Random(round);
            ip("addr flush dev ens5");
            ip("addr flush dev far");
            let promotes = random.below(2).to_string();
            set("ipv4/conf/ens5/promote_secondaries", &promotes);
            let drawn = draw(&mut random);
            for address in &drawn {
                ip(&format!("addr add {address}"));
            }
            let before = foreign();
            let held: &[&str] = [&[][..], &["172.31.0.201"], &["172.31.0.202"]]
                [usize::try_from(random.below(3)).expect("small")];
            eprintln!("round {round}: promotes {promotes}, holds {held:?}, {drawn:?}");

            let metadata = Metadata::serve(Says::Held(held));
            let unit = Unit::follow(files, &metadata);
            for (service, vip) in ["mysql", "redis"].iter().zip(VIPS) {
                let mine = held.contains(&vip);
                let state = unit.report(service, |state| {
                    state["ec2"] == if mine { "held" } else { "not-held" }
                        && (state["present"] == mine || !state["drift"].is_null())
                });
                assert!(state["drift"].is_null() || (!mine && promotes == "0"), "{state}");
            }
            drop(unit);
            assert_eq!(foreign(), before, "round {round}");
        }
    });
}
