//! The cluster that tests observe.

use vipward_core::Config;

/// A pair with a witness.
pub(crate) fn config(port: u16) -> Config {
    let text = include_str!("../fixtures/pair.toml").replace("PORT", &port.to_string());
    Config::parse("test", &text).expect("a good file")
}
