//! What `INFO replication` of a replica comes to.

use std::time::Duration;

use crate::Lag;

/// With the link up, the time since the replica last heard from its primary, which lets it hear
/// something every ten seconds (`repl-ping-replica-period`) even when nothing is written. A replica
/// that copies its primary's whole data set anew has none of its own to go by.
pub(super) fn lag(info: &str) -> Option<Lag> {
    let field = |name: &str| {
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
    };
    if field("master_sync_in_progress") == Some("1") {
        return Some(Lag::NotReplicating);
    }
    match field("master_link_status")? {
        "up" => {
            let silent = field("master_last_io_seconds_ago")?.parse().ok()?;
            Some(Lag::Behind(Duration::from_secs(silent)))
        }
        _ => Some(Lag::Severed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_the_link_makes_the_lag() {
        let seconds = |s| Some(Lag::Behind(Duration::from_secs(s)));
        for (info, expected) in [
            ("master_link_status:up\r\nmaster_last_io_seconds_ago:4\r\n", seconds(4)),
            ("master_link_status:up\r\nmaster_last_io_seconds_ago:-1\r\n", None),
            ("master_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\n", Some(Lag::Severed)),
            ("master_link_status:down\r\nmaster_sync_in_progress:1\r\n", Some(Lag::NotReplicating)),
            ("role:master\r\n", None),
            ("", None),
        ] {
            assert_eq!(lag(info), expected, "{info}");
        }
    }
}
