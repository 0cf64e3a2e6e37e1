//! Services that are held by one node.

use super::*;
use std::time::Duration;
use vipward_core::plan::Reassign;

const MYSQL: &str = "10.0.0.202";

fn grouped() -> Config {
    let mut config = config();
    for service in &mut config.services {
        service.group = Some("db".parse().expect("a name"));
    }
    config
}

#[tokio::test(start_paused = true)]
async fn a_group_that_does_not_fit_as_a_whole_stays_whole() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.says("a", "a", "mysql", Healthy);
        state.says("b", "b", "mysql", Healthy);
        state.room = Some(2);
    });
    let records = pass(&grouped(), &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Failed, Outcome::Failed]);
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"]);
    world.state().room = None;
    let records = pass(&grouped(), &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Moved, Outcome::Moved]);
    assert_eq!(world.state().assigns.last().map(|(_, vips)| vips.len()), Some(2), "in one call");
}

#[tokio::test(start_paused = true)]
async fn what_is_placed_while_its_group_is_on_its_way_robs_nobody() {
    const FOREIGN: &str = "eni-0000000f";
    let gives_up = |state: &mut crate::fake::State| {
        state.inventory.enis.remove(&id(FOREIGN));
        // EC2 shows that, and not yet what was moved.
        let mut seen = state.inventory.clone();
        let redis = REDIS.parse().expect("an address");
        seen.enis.values_mut().for_each(|eni| eni.addresses.retain(|address| *address != redis));
        seen.enis.get_mut(&id("eni-0000000a")).expect("there").addresses.push(redis);
        state.stale = Some((seen, start() + SignedDuration::from_secs(3)));
    };
    let world = World::new().with(|state| {
        let mysql = MYSQL.parse().expect("an address");
        let enis = &mut state.inventory.enis;
        let a = enis.get_mut(&id("eni-0000000a")).expect("there");
        a.addresses.retain(|address| *address != mysql);
        let mut foreign = a.clone();
        foreign.addresses = vec!["10.0.0.99".parse().expect("an address"), mysql];
        enis.insert(id(FOREIGN), foreign);
        state.ill_on_a("redis");
        state.ill_on_a("mysql");
        state.stale = Some((state.inventory.clone(), start() + SignedDuration::from_secs(1)));
        state.later = vec![(Duration::from_millis(50), gives_up)];
    });
    let records = pass(&grouped(), &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Moved, Outcome::Moved]);
    assert_eq!(world.state().reassigns, [Reassign::Allowed, Reassign::Forbidden]);
    assert_eq!(world.state().holder(MYSQL), ["eni-0000000b"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_and_never_sent_has_failed() {
    let world = World::new().with(|state| {
        let mysql: std::net::Ipv4Addr = MYSQL.parse().expect("an address");
        let a = state.inventory.enis.get_mut(&id("eni-0000000a")).expect("there");
        a.addresses.retain(|address| *address != mysql);
        state.ill_on_a("redis");
        state.ill_on_a("mysql");
        // Nobody holds mysql, says EC2 once, and is not to be read again.
        state.inventory_answers = 1;
    });
    let records = pass(&grouped(), &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Failed, Outcome::Failed]);
    assert!(world.state().assigns.is_empty());
}
