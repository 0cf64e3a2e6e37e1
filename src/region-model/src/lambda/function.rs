//! What a function is made of.

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// A function's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Its name.
    pub name: String,
    /// Its ARN, without a qualifier.
    pub arn: String,
    /// How long one invocation may run.
    pub timeout: SignedDuration,
    /// Memory in MB.
    pub memory_mb: u32,
    /// How many invocations run at a time, if it has a number of its own.
    pub reserved: Option<u32>,
    /// ARN of its role. Without one it may do nothing here, as with the role that SAM makes.
    pub role: Option<String>,
    /// Environment variables of its configuration.
    pub environment: BTreeMap<String, String>,
    /// How old an asynchronous event may be when it starts.
    pub max_event_age: SignedDuration,
    /// How often an asynchronous event is tried again after a function error.
    pub max_retries: u32,
}

impl FunctionSpec {
    /// The access key that its calls carry.
    pub fn access_key_id(&self) -> String {
        let letters = self.name.chars().filter(char::is_ascii_alphanumeric);
        format!("ASIA{}", letters.collect::<String>().to_uppercase())
    }
}
