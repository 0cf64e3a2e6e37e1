//! What a replica's status comes to.

use std::time::Duration;

use super::query::Row;
use crate::{Lag, Replication};

/// The worst over all channels. A server with none follows nobody: right for a primary.
pub(super) fn lag(role: Replication, channels: &[Row]) -> Option<Lag> {
    match channels.iter().map(of_channel).max() {
        None if role == Replication::Replica => Some(Lag::NotReplicating),
        worst => worst,
    }
}

fn of_channel(row: &Row) -> Lag {
    let receives = row.named(["Replica_IO_Running", "Slave_IO_Running"]);
    let applies = row.named(["Replica_SQL_Running", "Slave_SQL_Running"]);
    let behind = row.named(["Seconds_Behind_Source", "Seconds_Behind_Master"]);
    match (receives, applies) {
        (Some("No") | None, _) => Lag::NotReplicating,
        (_, Some("Yes")) => {
            // NULL while the receiving thread is still connecting.
            let seconds = behind.filter(|_| receives == Some("Yes")).and_then(|s| s.parse().ok());
            seconds.map_or(Lag::Severed, |seconds| Lag::Behind(Duration::from_secs(seconds)))
        }
        _ => Lag::NotReplicating,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(columns: [&str; 3], receives: &str, applies: &str, behind: Option<&str>) -> Row {
        let values = [Some(receives), Some(applies), behind];
        let value =
            |(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(str::to_owned));
        Row(columns.into_iter().zip(values).map(value).collect())
    }

    #[test]
    fn threads_and_seconds_make_the_lag_in_the_words_of_either_server() {
        let today = ["Replica_IO_Running", "Replica_SQL_Running", "Seconds_Behind_Source"];
        let before = ["Slave_IO_Running", "Slave_SQL_Running", "Seconds_Behind_Master"];
        let three_seconds = Lag::Behind(Duration::from_secs(3));
        for names in [today, before] {
            for (receives, applies, behind, expected) in [
                ("Yes", "Yes", Some("3"), three_seconds),
                ("Yes", "Yes", None, Lag::Severed),
                ("Connecting", "Yes", None, Lag::Severed),
                ("Preparing", "Yes", Some("0"), Lag::Severed),
                ("No", "Yes", None, Lag::NotReplicating),
                ("Yes", "No", None, Lag::NotReplicating),
                ("No", "No", None, Lag::NotReplicating),
            ] {
                let row = channel(names, receives, applies, behind);
                assert_eq!(
                    lag(Replication::Replica, &[row]),
                    Some(expected),
                    "{receives} {applies}"
                );
            }
        }
    }

    #[test]
    fn of_several_channels_the_worst_counts_and_none_is_right_for_a_primary_only() {
        let names = ["Replica_IO_Running", "Replica_SQL_Running", "Seconds_Behind_Source"];
        let good = || channel(names, "Yes", "Yes", Some("1"));
        let slow = || channel(names, "Yes", "Yes", Some("60"));
        let lost = || channel(names, "Connecting", "Yes", None);
        let minute = Lag::Behind(Duration::from_mins(1));
        assert_eq!(lag(Replication::Primary, &[good(), slow()]), Some(minute));
        assert_eq!(lag(Replication::Replica, &[lost(), slow()]), Some(Lag::Severed));
        assert_eq!(lag(Replication::Replica, &[lost(), Row::default()]), Some(Lag::NotReplicating));
        assert_eq!(lag(Replication::Replica, &[]), Some(Lag::NotReplicating));
        assert_eq!(lag(Replication::Primary, &[]), None);
    }
}
