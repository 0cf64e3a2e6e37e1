//! The times on which agent and function have to agree.

use std::time::Duration;

/// Observers have to say for so long that they cannot reach a node: the network may lose a second
/// and be well again, and a TCP connection needs as long to try once more.
pub const UNREACHABLE_FOR: Duration = Duration::from_secs(2);

/// How long CloudWatch takes to show a metric, as a rule at most.
///
/// An agent publishes out of turn by so much before its observation against a node has lasted
/// `stale_after`. A node counts as silent when others' newest metrics are newer than its last by
/// `stale_after` less this.
pub const INGESTION_DELAY: Duration = Duration::from_secs(2);

/// By how much AWS's clocks, by which the function tells the time, may differ. An agent hints so
/// much later than an observation has lasted long enough.
pub const CLOCK_LEEWAY: Duration = Duration::from_millis(100);

/// How far the instance metadata lag behind EC2 at most, as a rule: a new holder in `follow` learns
/// of its VIP by them, and so do hooks.
pub const METADATA_LAG: Duration = Duration::from_secs(10);

/// A node that has been well for so long gets a VIP that nobody holds, whether or not a preferred
/// node has spoken by then: hosts that boot at once are that far apart.
pub const PREFERRED_WITHIN: Duration = Duration::from_secs(5);

/// How many times `stale_after` a node must be well before a VIP returns to it; the metrics are
/// read back a little further.
pub const SETTLED_AFTER: u32 = 3;

/// How long nobody has to have taken an agent's hints until it says so by the metrics, or its
/// metrics until it says so by hints. Throttling passes sooner; until then the one is not missed,
/// as the other still speaks.
pub const FAILING_FOR: Duration = Duration::from_secs(10);
