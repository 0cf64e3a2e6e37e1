//! What may be asked of the running agent over its Unix socket: one line of JSON, answered by one
//! JSON document, its status or why it refuses. Who asks nothing is told the status.

use serde::{Deserialize, Serialize};
use vipward_core::{Config, ServiceName};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// What the agent knows.
    Status,
    /// These services will soon be gone from this node: say so, so that their VIPs move first.
    Leave {
        /// Which.
        which: Which,
        /// Why, for people.
        reason: String,
    },
    /// They stay after all.
    Stay {
        /// Which.
        which: Which,
    },
}

/// Which services of this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// Every one.
    All,
    /// That one.
    Service(ServiceName),
    /// Those that the file says that unit runs.
    Unit(String),
}

/// Why the agent does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{refused}")]
pub struct Refusal {
    /// The reason.
    pub refused: String,
}

impl Which {
    /// The services of the file that are meant.
    ///
    /// # Errors
    /// When the file has none of them.
    pub fn of(&self, config: &Config) -> Result<Vec<ServiceName>, Refusal> {
        let meant = config
            .services
            .iter()
            .filter(|service| self.means(&service.name, service.unit.as_deref()));
        let meant: Vec<_> = meant.map(|service| service.name.clone()).collect();
        let refused = match self {
            _ if !meant.is_empty() => return Ok(meant),
            Self::All => "the configuration has no service".to_owned(),
            Self::Service(name) => format!("the configuration has no service {name}"),
            Self::Unit(unit) => format!("no service in the configuration has unit = {unit:?}"),
        };
        Err(Refusal { refused })
    }

    /// Whether that service, run by that unit, is meant.
    pub fn means(&self, service: &ServiceName, unit: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Service(name) => name == service,
            Self::Unit(name) => unit == Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::config;

    #[test]
    fn services_are_found_by_name_and_by_unit() {
        let mut config = config(80);
        config.services[0].unit = Some("nginx.service".to_owned());
        let meant = |which: &Which| which.of(&config).map(|services| services.len());
        let web = "web".parse().expect("a name");
        let nginx = Which::Unit("nginx.service".to_owned());
        for which in [Which::All, Which::Service(web), nginx] {
            assert_eq!(meant(&which), Ok(1), "{which:?}");
        }
        let unknown = Which::Unit("mysql.service".to_owned());
        let refused = meant(&unknown).expect_err("there is none").to_string();
        assert_eq!(refused, "no service in the configuration has unit = \"mysql.service\"");
        assert!(meant(&Which::Service("mysql".parse().expect("a name"))).is_err());
    }

    #[test]
    fn a_request_is_a_line_that_people_can_write() {
        let leave = r#"{"request":"leave","which":{"service":"web"},"reason":"upgrade"}"#;
        let parsed: Request = serde_json::from_str(leave).expect("a request");
        assert_eq!(serde_json::to_string(&parsed).expect("plain data"), leave);
        let all = serde_json::from_str::<Request>(r#"{"request":"stay","which":"all"}"#);
        assert_eq!(all.expect("a request"), Request::Stay { which: Which::All });
        assert!(serde_json::from_str::<Request>(r#"{"request":"stay"}"#).is_err());
    }
}
