//! CloudWatch takes metrics in late: whose silence is it?

use super::*;
use crate::fake::hint;
use std::time::Duration;

/// The newest metrics of `a` and `b` are so old; both say that they are well.
fn last_heard(a: Duration, b: Duration) -> World {
    World::new().with(|state| {
        for (node, old) in [("a", a), ("b", b)] {
            state.says(node, node, "redis", Healthy);
            let (_, word) = state.observations.last_mut().expect("it was just said");
            word.at = start() - old;
        }
    })
}

/// `b` hints that it is well, and that for 20 s it has not reached `a`, which holds the VIP.
async fn holder_after_hint_of_b(world: &World) -> String {
    let memory = Mutex::<Memory>::default();
    let said = [("a", Unhealthy, 20_000), ("b", Healthy, 600_000)];
    locked(&memory).hear(hint(world, "b", &said));
    pass(&config(), world, &memory).await;
    world.state().holder(REDIS).join(" ")
}

#[tokio::test(start_paused = true)]
async fn metrics_that_are_late_with_everybody_are_no_silence() {
    // Each publishes every 10 s.
    for late in 0..20 {
        for (a, b) in (0..=10).flat_map(|a| (0..=10).map(move |b| (a, b))) {
            let world = last_heard(Duration::from_secs(late + a), Duration::from_secs(late + b));
            let holder = holder_after_hint_of_b(&world).await;
            assert_eq!(holder, "eni-0000000a", "{late} s late; published {a} and {b} s before");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_is_silent_by_the_newest_metrics_of_others() {
    let too_early = last_heard(Duration::from_secs(20), Duration::from_secs(8));
    assert_eq!(holder_after_hint_of_b(&too_early).await, "eni-0000000a");
    let in_time = last_heard(Duration::from_secs(20), Duration::from_secs(7));
    assert_eq!(holder_after_hint_of_b(&in_time).await, "eni-0000000b");
}
