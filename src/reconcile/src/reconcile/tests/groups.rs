//! Services that are held by one node.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_group_that_does_not_fit_as_a_whole_stays_whole() {
    let grouped = || {
        let mut config = config();
        for service in &mut config.services {
            service.group = Some("db".parse().expect("a name"));
        }
        config
    };
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
