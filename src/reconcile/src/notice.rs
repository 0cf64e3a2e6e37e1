//! An event for people's own rules.

use serde_json::Value;

/// What an alert is about, and its kind: the same one is not told twice in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// A service, or an agent.
    pub subject: String,
    /// In one word.
    pub kind: String,
}

/// An event for people's own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What counts as told once it was sent; nothing where it tells of moves.
    pub alerts: Vec<Alert>,
    /// `Vipward Move` or `Vipward Alert`.
    pub detail_type: &'static str,
    /// Which services it is about, and their decision records.
    pub detail: Value,
}
