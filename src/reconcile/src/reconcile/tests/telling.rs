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
    let world = World::new().with(|state| state.says("a", "a", "redis", Healthy));
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
