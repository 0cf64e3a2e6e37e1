//! Where EC2 does not take the VIP to the best node.

use super::*;

/// A third node, and no room on `b` but for so many addresses more.
pub(super) fn trio(room_on_b: u8) -> (Config, World) {
    const C: &str = "[[node]]\nname = \"c\"\naddress = \"10.0.0.12\"\neni = \"eni-0000000c\"\n";
    let config = Config::parse("test", &format!("{}\n{C}", crate::fake::CLUSTER));
    let world = World::new().with(|state| {
        let enis = &mut state.inventory.enis;
        let mut eni = enis[&id("eni-0000000b")].clone();
        eni.addresses = vec!["10.0.0.12".parse().expect("an address")];
        enis.insert(id("eni-0000000c"), eni);
        let b = enis.get_mut(&id("eni-0000000b")).expect("there");
        b.addresses.extend((room_on_b..9).map(|n| std::net::Ipv4Addr::new(10, 0, 0, 90 + n)));
        state.room = Some(10);
    });
    (config.expect("it is right"), world)
}

#[tokio::test(start_paused = true)]
async fn a_vip_that_finds_no_room_goes_to_the_next_best_node_at_once() {
    let (config, world) = trio(1);
    let world = world.with(|state| {
        for service in ["redis", "mysql"] {
            state.ill_on_a(service);
            state.says("c", "c", service, Healthy);
        }
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Moved, Outcome::Failed, Outcome::Moved]);
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"], "there was room for one");
    assert_eq!(world.state().holder("10.0.0.202"), ["eni-0000000c"]);
    assert_eq!(alerts(&world), ["failed"], "people hear that there is no room");
    assert_eq!(moves_counted(&world), 1, "what failed counts for nothing");
    let moves = world.state().notices[0].detail["services"].to_string();
    assert_eq!(moves, r#"["mysql","redis"]"#, "one event tells of both");
}

#[tokio::test(start_paused = true)]
async fn what_ec2_refuses_everywhere_is_tried_once_on_each_node() {
    let (config, world) = trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        let denied = || Fault::Fails(denied("AssignPrivateIpAddresses"));
        state.assign_faults.extend(std::iter::repeat_with(denied).take(9));
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Failed, Outcome::Failed, Outcome::Held]);
    assert_eq!(world.state().assigns.len(), 2);
    assert_eq!(alerts(&world), ["failed"], "once for all of them");
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_re_read_sends_nothing_elsewhere() {
    let (config, world) = trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        state.assign_faults.push_back(Fault::Fails(denied("AssignPrivateIpAddresses")));
        state.inventory_answers = 1;
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Failed, Outcome::Held]);
    assert_eq!(world.state().assigns.len(), 1);
}

/// The interface is full by now: of the very VIPs that the first call brought there.
fn loses_a_reply_and_refuses_what_comes_after(state: &mut crate::fake::State, until: i64) {
    state.stale = Some((state.inventory.clone(), start() + SignedDuration::from_secs(until)));
    let full = denied("AssignPrivateIpAddresses");
    state.assign_faults.extend([Fault::LosesReply, Fault::Fails(full)]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_then_a_refusal_moves_the_vip_once() {
    let (config, world) = trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        loses_a_reply_and_refuses_what_comes_after(state, 3);
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Moved, Outcome::Held]);
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"], "there it stays");
    assert_eq!(moves_counted(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_then_a_refusal_moves_each_of_several_vips_once() {
    let (config, world) = trio(5);
    let world = world.with(|state| {
        for service in ["redis", "mysql"] {
            state.ill_on_a(service);
            state.says("c", "c", service, Healthy);
        }
        loses_a_reply_and_refuses_what_comes_after(state, 3);
        let full = || Fault::Fails(denied("AssignPrivateIpAddresses"));
        state.assign_faults.extend([full(), full()]);
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records), [Outcome::Moved, Outcome::Moved]);
    for vip in [REDIS, "10.0.0.202"] {
        assert_eq!(world.state().holder(vip), ["eni-0000000b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_finds_no_room_goes_elsewhere_as_a_whole() {
    let (mut config, world) = trio(1);
    for service in &mut config.services {
        service.group = Some("db".parse().expect("a name"));
    }
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("a", "a", "mysql", Healthy);
        state.says("b", "b", "mysql", Healthy);
        for service in ["redis", "mysql"] {
            state.says("c", "c", service, Healthy);
        }
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    let (failed, moved) = (Outcome::Failed, Outcome::Moved);
    assert_eq!(outcomes(&records), [failed, moved, failed, moved]);
    assert_eq!(world.state().assigns.last().map(|(_, vips)| vips.len()), Some(2), "in one call");
}
