//! The cluster of this crate's tests: the one of `vipward-reconcile`'s.

use jiff::Timestamp;
use vipward_core::{Config, EniId};

pub(super) fn config() -> Config {
    let text = include_str!("../../../../src/reconcile/fixtures/pair.toml");
    Config::parse("pair.toml", text).expect("the cluster is right")
}

pub(super) fn id(text: &str) -> EniId {
    text.parse().expect("an id")
}

pub(super) fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("within range")
}
