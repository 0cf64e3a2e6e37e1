//! From TOML text to a [`Config`].

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::placed::Placed;
use super::table::{Findings, Table, Wrong, mistyped};
use super::value::{duration, duration_from, flag, number, parsed, subnet, text, word};
use super::{
    AliasMode, Check, Config, Failback, Mode, MoveBudget, Node, Policy, Role, Service, Witness,
    check, group, hook, probe,
};
use crate::timing::INGESTION_DELAY;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// As often as the alarms look.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(10);

/// The function looks back four times as far as this, and CloudWatch keeps values of one-second
/// resolution for three hours.
const LONGEST_STALE: Duration = Duration::from_mins(30);

/// How much longer than a publish interval a node must be quiet to count as silent: one late
/// publication (its whole time-out, 5 s) is not silence.
const STALE_MARGIN: Duration = Duration::from_secs(5);

/// How soon a host's death is noticed, unless the file says otherwise.
const DEAD_AFTER: Duration = Duration::from_millis(900);
const SHORTEST_DEATH: Duration = Duration::from_millis(300);

/// Reads and checks a whole file.
pub(super) fn config(source: &str) -> Result<Config, Vec<Fault>> {
    let findings = Findings::new(source);
    let (document, syntax_errors) = DeTable::parse_recoverable(source);
    if !syntax_errors.is_empty() {
        // Past a syntax error the tables are guesswork: further faults would mislead.
        for error in syntax_errors {
            let line = findings.line_of(error.span().map_or(0, |span| span.start));
            let what = format!("this is not TOML: {}", error.message());
            findings.add(line, Wrong::new(what, "correct the line's syntax"));
        }
        return Err(findings.into_faults());
    }
    let config =
        top_level(&Table::new("the configuration", 1, document.get_ref(), &findings), &findings);
    let faults = findings.into_faults();
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        _ => Err(faults),
    }
}

fn top_level<'t>(top: &Table<'t>, findings: &Findings<'t>) -> Option<Config> {
    let cluster = top.required("cluster", "\"prod-db\"", parsed("prod-db"));
    let subnet = top.required("subnet", "\"172.31.0.0/20\"", subnet);
    let policy_table = top.table("policy", "[policy]");
    let alias = policy_table.as_ref().and_then(alias).unwrap_or(AliasMode::Static);
    let policy = policy(policy_table.as_ref());
    let (node_tables, service_tables) = (top.tables("node"), top.tables("service"));
    check::counts(findings, node_tables.len(), service_tables.len());
    let nodes = each(node_tables, node);
    let witnesses = each(top.tables("witness"), witness);
    let mut services = each(service_tables, |table| service(table, alias));
    for Service { check, .. } in services.iter_mut().map(|service| &mut service.thing) {
        check.connect_timeout = policy.connect_timeout(check.fall).min(check.timeout);
    }
    top.finish();
    let checks = check::Checks { findings, subnet, nodes: &nodes, witnesses: &witnesses };
    checks.members();
    checks.services(&services);
    group::check(findings, &services);
    Some(Config {
        cluster: cluster?,
        subnet: subnet?,
        policy,
        nodes: things(nodes),
        witnesses: things(witnesses),
        services: things(services),
    })
}

fn each<'t, T>(tables: Vec<Table<'t>>, read: impl Fn(&Table<'t>) -> Option<T>) -> Vec<Placed<T>> {
    tables
        .into_iter()
        .filter_map(|table| {
            let thing = read(&table);
            table.finish();
            Some(Placed { line: table.line, thing: thing? })
        })
        .collect()
}

fn things<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.thing).collect()
}

fn policy(table: Option<&Table<'_>>) -> Policy {
    const MODES: &[(&str, Mode)] = &[("act", Mode::Act), ("observe", Mode::Observe)];
    let budget = MoveBudget { moves: 3, per: HOUR };
    let defaults = |publish_interval: Duration| Policy {
        mode: Mode::Act,
        cooldown: MINUTE,
        move_budget: budget,
        failback: Failback::Never,
        publish_interval,
        stale_after: publish_interval + STALE_MARGIN,
        dead_after: DEAD_AFTER,
        hints: true,
        peer_alarms: false,
    };
    let Some(table) = table else {
        return defaults(10 * SECOND);
    };
    let publish_interval =
        table.optional("publish_interval", duration(SECOND..=MINUTE)).unwrap_or(PUBLISH_INTERVAL);
    let base = defaults(publish_interval);
    let shortest_silence = publish_interval + INGESTION_DELAY + SECOND;
    let hints = table.optional("hints", flag).unwrap_or(base.hints);
    let policy = Policy {
        mode: table.optional("mode", word(MODES)).unwrap_or(base.mode),
        cooldown: table.optional("cooldown", duration(SECOND..=24 * HOUR)).unwrap_or(base.cooldown),
        move_budget: move_budget(table).unwrap_or(budget),
        failback: table.optional("failback", failback).unwrap_or(base.failback),
        publish_interval,
        stale_after: table
            .optional("stale_after", duration(shortest_silence..=LONGEST_STALE))
            .unwrap_or(base.stale_after),
        dead_after: table
            .optional("dead_after", duration(SHORTEST_DEATH..=MINUTE))
            .unwrap_or(base.dead_after),
        hints,
        peer_alarms: table.optional("peer_alarms", |v| peer_alarms(v, hints)).unwrap_or(!hints),
    };
    table.finish();
    policy
}

fn peer_alarms(value: &DeValue<'_>, hints: bool) -> Result<bool, Wrong> {
    let peer_alarms = flag(value)?;
    if hints || peer_alarms {
        return Ok(peer_alarms);
    }
    Err(Wrong::new(
        "it and hints are both false: nothing would report a node that others cannot reach",
        "set one of them to true",
    ))
}

fn move_budget(policy: &Table<'_>) -> Option<MoveBudget> {
    let table = policy.table("move_budget", "move_budget in [policy]")?;
    let moves = table.required("moves", "3", number(1..=15));
    let per = table.required("per", "\"1h\"", duration(MINUTE..=24 * HOUR));
    table.finish();
    Some(MoveBudget { moves: moves?, per: per? })
}

fn failback(value: &DeValue<'_>) -> Result<Failback, Wrong> {
    const RANGE: RangeInclusive<Duration> = MINUTE..=Duration::from_hours(168);
    let text = value.as_str().ok_or_else(|| mistyped(value, "a string", "\"never\""))?;
    match text.strip_prefix("after ") {
        Some(rest) => duration_from(rest, &RANGE).map(Failback::After),
        None if text == "never" => Ok(Failback::Never),
        None => Err(Wrong::new(
            format!("unknown value {text:?}"),
            "write \"never\", or \"after 10m\" to move back after that time",
        )),
    }
}

fn node(table: &Table<'_>) -> Option<Node> {
    let name = table.required("name", "\"resource-01\"", parsed("resource-01"));
    let address = table.required("address", "\"172.31.0.11\"", parsed("172.31.0.11"));
    let eni = table.required("eni", "\"eni-0a1b2c3d4e5f60001\"", parsed("eni-0a1b2c3d4e5f60001"));
    let priority = table.optional("priority", number(0..=1000)).unwrap_or(0);
    Some(Node { name: name?, address: address?, eni: eni?, priority })
}

fn witness(table: &Table<'_>) -> Option<Witness> {
    let name = table.required("name", "\"app-01\"", parsed("app-01"));
    let address = table.required("address", "\"172.31.0.30\"", parsed("172.31.0.30"));
    Some(Witness { name: name?, address: address? })
}

/// What `[policy]` says holds for the services that say nothing.
fn alias(table: &Table<'_>) -> Option<AliasMode> {
    const MODES: &[(&str, AliasMode)] =
        &[("static", AliasMode::Static), ("follow", AliasMode::Follow)];
    table.optional("alias", word(MODES))
}

fn service(table: &Table<'_>, default: AliasMode) -> Option<Service> {
    let name = table.required("name", "\"redis\"", parsed("redis"));
    let vip = table.required("vip", "\"172.31.0.202\"", parsed("172.31.0.202"));
    let group = table.optional("group", parsed("db"));
    let alias = alias(table).unwrap_or(default);
    let check = table
        .required_table("check", "check in [[service]]", "{ kind = \"tcp\", port = 6379 }")
        .and_then(|check| probe::check(&check));
    let role = role(table, check.as_ref());
    let unit = table.optional("unit", unit);
    let hooks = hook::hooks(table);
    Some(Service { name: name?, vip: vip?, group, role, alias, check: check?, unit, hooks })
}

fn unit(value: &DeValue<'_>) -> Result<String, Wrong> {
    let unit = text("mysql.service")(value)?;
    if unit.ends_with(".service") && probe::is_unit(&unit) {
        Ok(unit)
    } else {
        let what = format!("{unit:?} is not a service unit");
        Err(Wrong::new(what, "write its full name, like \"mysql.service\""))
    }
}

fn role(table: &Table<'_>, check: Option<&Check>) -> Role {
    const ROLES: &[(&str, Role)] = &[("any", Role::Any), ("primary", Role::Primary)];
    let role = table.optional("role", |value| {
        let role = word(ROLES)(value)?;
        match check.filter(|check| !check.kind.knows_role()) {
            Some(check) if role == Role::Primary => Err(Wrong::new(
                format!(
                    "\"primary\" needs a check that sees roles, and {:?} does not",
                    check.kind.name()
                ),
                "use \"redis\", \"mysql\", \"postgres\" or \"mongodb\", or leave role out",
            )),
            _ => Ok(role),
        }
    });
    role.unwrap_or(Role::Any)
}
