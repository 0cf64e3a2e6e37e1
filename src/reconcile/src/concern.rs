//! What may become an alert.

use std::time::Duration;

/// What a person may have to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What it is about: a service, its standby or its arrival.
    pub subject: String,
    /// In one word; `None` when all is well.
    pub alert: Option<String>,
    /// How long it has to last before people hear of it.
    pub patience: Duration,
}
