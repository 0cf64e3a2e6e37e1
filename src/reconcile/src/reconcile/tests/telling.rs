//! What people are told, and what comes of it when they cannot be.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_same_alert_is_told_once() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.says("b", "b", "redis", Unhealthy);
    });
    let memory = Mutex::default();
    for _ in 0..3 {
        let records = pass(&config(), &world, &memory).await;
        assert_eq!(hold_reason(&records[0]), Some(HoldReason::NoCandidate));
    }
    assert_eq!(world.state().notices.len(), 1);
    world.pause(std::time::Duration::from_mins(10)).await;
    pass(&config(), &world, &memory).await;
    assert_eq!(world.state().notices.len(), 2, "it is repeated after a while");
}

#[tokio::test(start_paused = true)]
async fn a_suspicion_that_comes_and_goes_alerts_once() {
    let seconds = std::time::Duration::from_secs;
    let world = World::new().with(|state| {
        state.says("a", "a", "redis", Healthy);
        state.says("b", "b", "redis", Healthy);
    });
    let memory = Mutex::default();
    let looks = async |verdict, lasts: &[u64]| {
        world.state().says("b", "a", "redis", verdict);
        for pause in lasts {
            woken(WakeKind::Alarm, &config(), &world, &memory).await;
            world.pause(seconds(*pause)).await;
        }
    };
    for _ in 0..4 {
        looks(Unhealthy, &[4, 18, 18]).await;
        looks(Healthy, &[5]).await;
    }
    assert_eq!(alerts(&world), ["holder-suspect"]);
    looks(Healthy, &[60, 60, 60]).await;
    looks(Unhealthy, &[4, 1]).await;
    assert_eq!(alerts(&world), ["holder-suspect"; 2], "it had been well for a while");
}

#[tokio::test(start_paused = true)]
async fn evidence_that_is_long_wanting_alerts() {
    let world = World::new().with(|state| {
        state.alarms.insert("vipward/test/redis/a/self".parse().expect("an alarm's name"));
    });
    let memory = Mutex::default();
    pass(&config(), &world, &memory).await;
    assert!(alerts(&world).is_empty());
    world.pause(std::time::Duration::from_secs(30)).await;
    pass(&config(), &world, &memory).await;
    assert_eq!(alerts(&world), ["awaiting-evidence"]);
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_could_not_be_sent_is_still_news() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.says("b", "b", "redis", Unhealthy);
        state.failing.insert("PutEvents");
    });
    let memory = Mutex::default();
    pass(&config(), &world, &memory).await;
    world.state().failing.clear();
    pass(&config(), &world, &memory).await;
    assert_eq!(alerts(&world), ["no-candidate"]);
}

#[tokio::test(start_paused = true)]
async fn notices_that_cannot_be_sent_do_not_undo_the_move() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.failing.insert("PutEvents");
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
}

/// `a` holds both VIPs and is well; of `b` there is an alarm about `redis`.
fn alone() -> World {
    World::new().with(|state| {
        state.alarms.insert("vipward/test/redis/b/self".parse().expect("an alarm's name"));
    })
}

async fn minutes(world: &World, memory: &Mutex<Memory>, count: usize) {
    for _ in 0..count {
        let records = pass(&config(), world, memory).await;
        assert_eq!(hold_reason(&records[0]), Some(HoldReason::HolderUp));
        world.pause(std::time::Duration::from_mins(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_without_a_standby_alerts_once_when_that_lasts() {
    let (world, memory) = (alone(), Mutex::default());
    minutes(&world, &memory, 1).await;
    assert!(alerts(&world).is_empty(), "it may be booting");
    minutes(&world, &memory, 5).await;
    assert_eq!(alerts(&world), ["no-standby"]);
    assert_eq!(world.state().notices[0].detail["services"], json!(["redis"]));
    assert_eq!(world.state().notices[0].detail["records"][0]["standby"], json!("missing"));
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_comes_back_in_time_is_no_cause_for_alert() {
    let (world, memory) = (alone(), Mutex::default());
    let alarm = || "vipward/test/redis/b/self".parse().expect("an alarm's name");
    for _ in 0..4 {
        world.state().alarms.insert(alarm());
        minutes(&world, &memory, 1).await;
        world.state().alarms.remove(&alarm());
        minutes(&world, &memory, 1).await;
    }
    assert!(alerts(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn neither_of_two_alerts_about_a_service_hides_the_other() {
    let (world, memory) = (alone(), Mutex::default());
    minutes(&world, &memory, 2).await;
    assert_eq!(alerts(&world), ["no-standby"]);
    // The agent of `a` dies, and `b` still reaches the service there.
    world.state().alarms.insert("vipward/test/redis/a/self".parse().expect("an alarm's name"));
    for _ in 0..3 {
        world.state().says("b", "a", "redis", Healthy);
        world.state().says("b", "b", "redis", Unhealthy);
        let records = pass(&config(), &world, &memory).await;
        assert_eq!(hold_reason(&records[0]), Some(HoldReason::AgentSilent));
        world.pause(std::time::Duration::from_mins(1)).await;
    }
    assert_eq!(alerts(&world), ["no-standby", "agent-silent"], "each once");
}

/// The agent of a node that is well says whether the VIP is there.
fn says_arrived(world: &World, memory: &Mutex<Memory>, node: &str, arrived: Option<bool>) {
    let mut heard = hint(world, node, &[(node, Healthy, 600_000)]);
    heard.hint.observations[0].arrived = arrived;
    locked(memory).hear(heard);
}

/// What people are told in three passes, a minute apart.
async fn told_where(arrived: Option<bool>) -> Vec<String> {
    let (world, memory) = (World::new(), Mutex::default());
    for _ in 0..3 {
        says_arrived(&world, &memory, "a", arrived);
        pass(&config(), &world, &memory).await;
        world.pause(std::time::Duration::from_mins(1)).await;
    }
    alerts(&world)
}

#[tokio::test(start_paused = true)]
async fn a_vip_that_the_holders_metadata_never_name_alerts() {
    assert_eq!(told_where(Some(false)).await, ["not-arrived"]);
    assert!(told_where(Some(true)).await.is_empty());
    assert!(told_where(None).await.is_empty(), "metadata that were not read say nothing");
}

#[tokio::test(start_paused = true)]
async fn a_vip_that_has_only_just_moved_is_under_way() {
    let (world, memory) = (World::new().with(|state| state.ill_on_a("redis")), Mutex::default());
    assert_eq!(outcomes(&pass(&config(), &world, &memory).await)[0], Outcome::Moved);
    let is_told = || alerts(&world).contains(&"not-arrived".to_owned());
    let mut told = Vec::new();
    for _ in 0..7 {
        world.pause(std::time::Duration::from_secs(20)).await;
        says_arrived(&world, &memory, "b", Some(false));
        pass(&config(), &world, &memory).await;
        told.push(is_told());
    }
    assert_eq!(told, [false, false, false, false, false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_silent_says_nothing_of_where_the_vip_is() {
    let (world, memory) = (World::new(), Mutex::default());
    for _ in 0..2 {
        says_arrived(&world, &memory, "a", Some(false));
        world.pause(std::time::Duration::from_mins(2)).await;
        pass(&config(), &world, &memory).await;
    }
    assert!(!alerts(&world).contains(&"not-arrived".to_owned()));
}
