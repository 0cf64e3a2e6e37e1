//! What the function is deployed for.

use std::str::FromStr;

/// The same build is deployed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May move VIPs; one invocation at a time.
    Failover,
    /// Only looks; any number at a time, so that looking never blocks moving.
    Query,
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a role: use failover or query")]
pub struct NoRole(String);

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        match text {
            "failover" => Ok(Self::Failover),
            "query" => Ok(Self::Query),
            other => Err(NoRole(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_one_of_two() {
        assert_eq!("failover".parse(), Ok(Role::Failover));
        assert_eq!("query".parse(), Ok(Role::Query));
        assert_eq!("both".parse::<Role>(), Err(NoRole("both".to_owned())));
    }
}
