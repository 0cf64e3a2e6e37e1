//! `check`: what a configuration says, and what it would deploy.

use std::path::Path;

use vipward_core::Config;
use vipward_core::config::{AliasMode, CheckKind, Mode, Role, Service};
use vipward_core::text::aligned;
use vipward_render::{MOST_RESOURCES, Place, Template, parent, within_limits};

use crate::failure::Failure;
use crate::load;
use crate::said::Said;

/// Checks the file and says what it amounts to.
///
/// # Errors
/// Every fault of the file, or the limit that its template would exceed.
pub fn check(file: &Path) -> Result<Said, Failure> {
    let config = load(file)?;
    let place = Place::in_directory(parent(file), file)?;
    let template = Template::render(&config, &place);
    within_limits(&file.display().to_string(), &config, &template)?;
    Ok(Said { talk: warnings(&config), ..Said::data(summary(&config, &template)) })
}

fn summary(config: &Config, template: &Template) -> String {
    let mode = match config.policy.mode {
        Mode::Act => "acts",
        Mode::Observe => "only observes",
    };
    let (nodes, services) = (config.nodes.len(), config.services.len());
    let mut rows = Vec::new();
    for node in &config.nodes {
        let priority = format!("priority {}", node.priority);
        rows.push(row(
            "node",
            node.name.as_str(),
            &node.address,
            &format!("{}, {priority}", node.eni),
        ));
    }
    for witness in &config.witnesses {
        rows.push(row("witness", witness.name.as_str(), &witness.address, ""));
    }
    for service in &config.services {
        rows.push(row("service", service.name.as_str(), &service.vip, &account(service)));
    }
    format!(
        "{}: valid; {mode}; {nodes} nodes, {services} VIPs in {}\n{}\
         would deploy {} alarms that wake the function, {} of at most {MOST_RESOURCES} resources\n",
        config.cluster,
        config.subnet,
        aligned(&rows, "  "),
        template.alarm_count(),
        template.resource_count(),
    )
}

/// What is checked, and whatever differs from the usual.
fn account(service: &Service) -> String {
    let kind = service.check.kind.name();
    let mut parts = vec![match service.check.port {
        Some(port) => format!("{kind} on port {port}"),
        None => kind.to_owned(),
    }];
    parts.extend(service.group.as_ref().map(|group| format!("group {group}")));
    parts.extend((service.role == Role::Primary).then(|| "follows the primary".to_owned()));
    let follows = service.alias == AliasMode::Follow;
    parts.extend(follows.then(|| "alias follows the VIP".to_owned()));
    parts.join(", ")
}

/// The kinds that speak what is usually spoken on a port.
const USUAL: [(u16, &str); 4] =
    [(3306, "mysql"), (5432, "postgres"), (6379, "redis"), (27017, "mongodb")];

/// What is valid but hardly meant.
fn warnings(config: &Config) -> String {
    let connects_only = |service: &&Service| matches!(service.check.kind, CheckKind::Tcp);
    let warning = |service: &Service| {
        let port = service.check.port?;
        let (_, kind) = USUAL.iter().find(|(usual, _)| *usual == port)?;
        Some(format!(
            "warning: the check of {} only sees that something listens on port {port}\n\
             hint: kind = \"{kind}\" asks the server itself\n",
            service.name
        ))
    };
    config.services.iter().filter(connects_only).filter_map(warning).collect()
}

fn row(what: &str, name: &str, address: &impl ToString, rest: &str) -> Vec<String> {
    vec![what.to_owned(), name.to_owned(), address.to_string(), rest.to_owned()]
}
