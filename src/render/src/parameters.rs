//! What is chosen at deployment rather than in the configuration, and what hangs on it.

use serde_json::{Value, json};

/// The parameter for the processor of the functions.
pub const ARCHITECTURE: &str = "Architecture";
/// The parameter for the address that alerts are mailed to.
pub const ALERT_EMAIL: &str = "AlertEmail";
/// True where concurrency is reserved for the failover function.
pub const RESERVES_CONCURRENCY: &str = "ReservesConcurrency";
/// True where alerts are mailed.
pub const MAILS_ALERTS: &str = "MailsAlerts";

const RESERVE_CONCURRENCY: &str = "ReserveConcurrency";

/// The `Parameters` section.
pub fn parameters() -> Value {
    json!({
        ARCHITECTURE: {
            "Type": "String",
            "Description": "Processor of the functions; arm64 costs less, x86_64 builds on every host",
            "AllowedValues": ["x86_64", "arm64"],
            "Default": "x86_64",
        },
        RESERVE_CONCURRENCY: {
            "Type": "String",
            "Description": "Reserve one execution for the failover function, so that two never run \
                at once; choose no if the account's quota is too small to reserve from",
            "AllowedValues": ["yes", "no"],
            "Default": "yes",
        },
        ALERT_EMAIL: {
            "Type": "String",
            "Description": "Address that alerts and moves are mailed to; empty for none",
            "Default": "",
        },
    })
}

/// The `Conditions` section.
pub fn conditions() -> Value {
    json!({
        RESERVES_CONCURRENCY: {"Fn::Equals": [{"Ref": RESERVE_CONCURRENCY}, "yes"]},
        MAILS_ALERTS: {"Fn::Not": [{"Fn::Equals": [{"Ref": ALERT_EMAIL}, ""]}]},
    })
}
