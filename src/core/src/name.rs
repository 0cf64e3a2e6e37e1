//! Names as types: a value that exists is a value that was checked.

use std::fmt;
use std::net::{AddrParseError, Ipv4Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest cluster, node or service name. Four of them and their separators fit an alarm name
/// (255 characters) and two fit an ENI tag key (128 characters).
const LONGEST_NAME: usize = 32;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct BadName {
    expected: &'static str,
}

/// Lower-case letters, digits and inner hyphens: what alarm names, tag keys, metric namespaces
/// and event sources all accept unescaped.
fn is_plain_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `eni-` and 8 or 17 hexadecimal digits, as EC2 writes them.
fn is_eni_id(text: &str) -> bool {
    text.strip_prefix("eni-").is_some_and(|hex| {
        matches!(hex.len(), 8 | 17)
            && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                if $check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadName { expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

name!(
    /// The cluster: one file, one function, one set of nodes.
    ClusterName,
    is_plain_name,
    "a name: 1 to 32 lower-case letters, digits and inner hyphens"
);
name!(
    /// A host that runs an agent: a node or a witness.
    NodeName,
    is_plain_name,
    "a name: 1 to 32 lower-case letters, digits and inner hyphens"
);
name!(
    /// What clients reach at one VIP.
    ServiceName,
    is_plain_name,
    "a name: 1 to 32 lower-case letters, digits and inner hyphens"
);
name!(
    /// Services that are always held by one node.
    GroupName,
    is_plain_name,
    "a name: 1 to 32 lower-case letters, digits and inner hyphens"
);
name!(
    /// An elastic network interface.
    EniId,
    is_eni_id,
    "an ENI id: eni- and 8 or 17 hexadecimal digits"
);

/// A virtual IP: the secondary private address that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VipAddr(pub Ipv4Addr);

impl fmt::Display for VipAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for VipAddr {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_every_aws_field_accepts() {
        for good in ["a", "prod-db", "resource-01", "0", &"x".repeat(32)] {
            assert!(good.parse::<NodeName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "Prod", "a_b", "a.b", "a/b", "a b", "é", &"x".repeat(33)] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn eni_ids_are_as_ec2_writes_them() {
        for good in ["eni-0a1b2c3d4e5f60001", "eni-1234abcd"] {
            assert!(good.parse::<EniId>().is_ok(), "{good}");
        }
        for bad in ["eni-", "eni-xyz", "eni-0A1B2C3D4E5F60001", "i-0a1b2c3d4e5f60001", "eni-123"] {
            assert!(bad.parse::<EniId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_name_says_what_a_good_one_is() {
        let error = "Prod".parse::<ClusterName>().expect_err("upper case is refused");
        assert_eq!(
            error.to_string(),
            "not a name: 1 to 32 lower-case letters, digits and inner hyphens"
        );
    }
}
