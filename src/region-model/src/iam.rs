//! IAM, as far as the template's roles go: who may do what, told before a service acts.
//!
//! A caller whose access key stands for no role is the account's administrator and may do all.

mod glob;
mod statement;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use statement::{Statement, StatementError};

/// What a request carries beside its action and resources, by condition key. A key that is not
/// there was not in the request; one with several values had them all.
pub type Context = BTreeMap<&'static str, Vec<String>>;

/// The condition keys that requests are read for. A statement that asks for another never allows.
pub const KEYS: [&str; 3] = [NAMESPACE, SOURCE, TAG_KEYS];
/// The namespace of `PutMetricData`.
pub const NAMESPACE: &str = "cloudwatch:namespace";
/// The sources of all entries of `PutEvents`.
pub const SOURCE: &str = "events:source";
/// The keys of all tags of `CreateTags` and `DeleteTags`.
pub const TAG_KEYS: &str = "aws:TagKeys";

/// What a call asks to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// `ec2:AssignPrivateIpAddresses` for example.
    pub action: String,
    /// ARNs of what it is about, or one `*` where it is about none in particular.
    pub resources: Vec<String>,
    /// What conditions can ask for.
    pub context: Context,
}

/// A call is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// ARN of the caller's role.
    pub role: String,
    /// The first resource that no statement allows.
    pub resource: String,
    /// What the region could not judge in a statement that otherwise fits.
    pub unjudged: Option<String>,
}

/// A role of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The statements of all its policies.
    pub statements: Vec<Statement>,
}

/// The roles of an account and who has them.
#[derive(Debug, Default)]
pub struct Iam {
    roles: BTreeMap<String, Vec<Statement>>,
    /// ARN of the role by access key.
    principals: BTreeMap<String, String>,
}

impl Iam {
    /// An account with these roles, which nobody has yet.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Self {
        let roles = roles.into_iter().map(|role| (role.arn, role.statements));
        Self { roles: roles.collect(), principals: BTreeMap::new() }
    }

    /// Lets an access key stand for a role. A role that the template does not have allows nothing.
    pub fn bind(&mut self, access_key: impl Into<String>, role_arn: impl Into<String>) {
        self.principals.insert(access_key.into(), role_arn.into());
    }

    /// Whether a caller may do what it asks for: on every single resource.
    pub fn authorize(&self, access_key: &str, ask: &Ask) -> Result<(), Denied> {
        let Some(role) = self.principals.get(access_key) else {
            return Ok(());
        };
        let statements = self.roles.get(role).map(Vec::as_slice).unwrap_or_default();
        for resource in &ask.resources {
            let mut unjudged = BTreeSet::new();
            let allows = |statement: &Statement| match statement.allows(ask, resource) {
                Ok(allows) => allows,
                Err(unknown) => {
                    unjudged.insert(unknown.to_string());
                    false
                }
            };
            if !statements.iter().any(allows) {
                let unjudged: Vec<_> = unjudged.into_iter().collect();
                return Err(Denied {
                    role: role.clone(),
                    resource: resource.clone(),
                    unjudged: (!unjudged.is_empty()).then(|| unjudged.join(", ")),
                });
            }
        }
        Ok(())
    }
}
