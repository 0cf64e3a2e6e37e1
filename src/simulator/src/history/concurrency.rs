//! How many of the function may run at once.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many of the failover function may run at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Concurrency {
    /// As many as the template says.
    #[default]
    Deployed,
    /// So many are reserved for it, and no more.
    Reserved(u32),
    /// Nothing is reserved.
    Unreserved,
}

/// As it stands in a scenario. Old ones say `racing`, which is true or false.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Racing(bool),
    Reserved(u32),
    Word(String),
}

/// It says neither a number nor a word that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoConcurrency(String);

impl fmt::Display for NoConcurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no concurrency: a number, \"deployed\" or \"unreserved\"", self.0)
    }
}

impl TryFrom<Written> for Concurrency {
    type Error = NoConcurrency;

    fn try_from(written: Written) -> Result<Self, NoConcurrency> {
        match written {
            Written::Racing(true) => Ok(Self::Unreserved),
            Written::Racing(false) => Ok(Self::Deployed),
            Written::Reserved(count) => Ok(Self::Reserved(count)),
            Written::Word(word) => match word.as_str() {
                "deployed" => Ok(Self::Deployed),
                "unreserved" => Ok(Self::Unreserved),
                _ => Err(NoConcurrency(word)),
            },
        }
    }
}

impl From<Concurrency> for Written {
    fn from(concurrency: Concurrency) -> Self {
        match concurrency {
            Concurrency::Deployed => Self::Word("deployed".to_owned()),
            Concurrency::Reserved(count) => Self::Reserved(count),
            Concurrency::Unreserved => Self::Word("unreserved".to_owned()),
        }
    }
}

impl Concurrency {
    /// What is reserved, where the template reserves `deployed`.
    pub fn reserved(self, deployed: u32) -> Option<u32> {
        match self {
            Self::Deployed => Some(deployed),
            Self::Reserved(count) => Some(count),
            Self::Unreserved => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Of {
        #[serde(alias = "racing")]
        concurrency: Concurrency,
    }

    #[test]
    fn old_scenarios_and_new_ones_are_read() {
        for (text, is) in [
            ("racing = true", Concurrency::Unreserved),
            ("racing = false", Concurrency::Deployed),
            ("concurrency = 2", Concurrency::Reserved(2)),
            ("concurrency = \"unreserved\"", Concurrency::Unreserved),
        ] {
            let read = toml::from_str::<Of>(text).map(|of| of.concurrency);
            assert_eq!(read.expect("it is one"), is, "{text}");
        }
        assert!(toml::from_str::<Of>("concurrency = \"many\"").is_err());
    }
}
