//! The three truths about each VIP: what the configuration asks for, what EC2 says, what the kernel
//! has.

use vipward_core::config::{AliasMode, Service};

use super::Host;
use super::finding::{Finding, Level};
use vipward_core::knowledge::Answer;

/// One line a service, and the trap of `static` where one is set.
pub fn examine(host: &Host<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        host.config.services.iter().map(|service| compare(host, service)).collect();
    findings.extend(unanswered(host));
    findings.extend(elsewhere(host));
    findings.extend(trap(host));
    findings
}

fn compare(host: &Host<'_>, service: &Service) -> Finding {
    let vip = service.vip.0;
    let copies: Vec<String> = host
        .inventory
        .copies_on(host.link.index, vip)
        .map(|held| format!("/{}", held.prefix))
        .collect();
    let present = !copies.is_empty();
    let kernel = if present { copies.join(" and ") } else { "absent".to_owned() };
    let held = match &host.ec2 {
        Answer::Addresses(all) => Some(all.contains(&vip)),
        Answer::Unknown(_) => None,
    };
    let ec2 = match held {
        Some(true) => "this node holds it",
        Some(false) => "another node holds it, or none does",
        None => "unknown",
    };
    let mode = service.alias.name();
    let what = format!("{vip}: alias {mode}; EC2: {ec2}; kernel: {kernel}");
    let about = service.name.to_string();
    match (service.alias, held, present) {
        (AliasMode::Static, _, false) | (AliasMode::Follow, Some(true), false) => {
            Finding::new(Level::Trouble, about, what)
                .effect("this node would not answer for it")
                .cure("start vipward-alias, or read in its log why it cannot add the VIP")
        }
        (AliasMode::Follow, Some(false), true) => Finding::new(Level::Trouble, about, what)
            .effect("this node talks to itself at the VIP instead of to its holder")
            .cure("start vipward-alias: it removes the VIP once EC2 has said so twice"),
        _ => Finding::fine(about, what),
    }
}

fn unanswered(host: &Host<'_>) -> Option<Finding> {
    let Answer::Unknown(why) = &host.ec2 else {
        return None;
    };
    let follows = host.config.services.iter().any(|service| service.alias == AliasMode::Follow);
    let level = if follows { Level::Trouble } else { Level::Note };
    let finding = Finding::new(level, "instance metadata", why.clone());
    Some(if follows {
        finding
            .effect("aliases with `follow` stay as they are until it answers")
            .cure("allow this host to reach 169.254.169.254, or use alias = \"static\"")
    } else {
        finding
    })
}

/// A VIP on an interface that is not the node's: the kernel answers for it there too.
fn elsewhere(host: &Host<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in &host.config.services {
        for link in host.inventory.holders(service.vip.0) {
            if link.index != host.link.index {
                let what = format!("{} is also on {}", service.vip, link.name);
                findings.push(
                    Finding::new(Level::Trouble, service.name.to_string(), what)
                        .effect(
                            "vipward leaves other interfaces alone; this host reaches itself there",
                        )
                        .cure(format!("run `ip address del {}/… dev {}`", service.vip, link.name)),
                );
            }
        }
    }
    findings
}

fn trap(host: &Host<'_>) -> Option<Finding> {
    let fixed: Vec<&str> = host
        .config
        .services
        .iter()
        .filter(|service| service.alias == AliasMode::Static)
        .map(|service| service.name.as_str())
        .collect();
    (!fixed.is_empty()).then(|| {
        Finding::new(Level::Note, "static", fixed.join(", "))
            .effect(
                "every node has these VIPs at all times, so a node that does not hold one reaches \
                 its own service at that address, not the holder's",
            )
            .cure("where programs on the nodes themselves use the VIP, set alias = \"follow\"")
    })
}
