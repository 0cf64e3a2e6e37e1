//! The file's good and bad forms. The bad ones are texts with what must be said of them.

use std::fmt::Write as _;

use super::*;

const PAIR: &str = include_str!("../../../../infra/example/vipward.toml");

fn complaints(text: &str) -> String {
    Config::parse("vipward.toml", text).expect_err("the text is faulty").to_string()
}

/// The example with one line changed.
fn with(line: &str, instead: &str) -> String {
    assert!(PAIR.contains(line), "the example has no line {line:?}");
    PAIR.replacen(line, instead, 1)
}

#[test]
fn the_example_is_right() {
    let config = Config::parse("vipward.toml", PAIR).expect("the example is right");
    assert_eq!(config.nodes.len(), 2);
    assert_eq!(config.services.len(), 3);
    assert_eq!(config.policy.stale_after, Duration::from_secs(15));
    assert_eq!(config.members().count(), 3);
    let kinds: Vec<_> = config.services.iter().map(|service| &service.check.kind).collect();
    let mysql = CheckKind::Mysql {
        user: "vipward".to_owned(),
        password_file: Some(PathBuf::from("/etc/vipward/mysql.pw")),
        max_lag: Some(Duration::from_secs(10)),
        tls: None,
    };
    let redis = CheckKind::Redis { user: None, password_file: None, max_lag: None, tls: None };
    let mongodb = CheckKind::Mongodb { max_lag: None, tls: None };
    assert_eq!(kinds, [&mysql, &redis, &mongodb]);
}

#[test]
fn the_alias_mode_is_the_services_own_else_the_policys_else_static() {
    let modes = |policy: &str, service: &str| {
        let text = with("[policy]", &format!("[policy]\n{policy}")).replacen(
            "name  = \"redis\"",
            &format!("name = \"redis\"\n{service}"),
            1,
        );
        let config = Config::parse("vipward.toml", &text).expect("right");
        let modes = config.services.iter().map(|service| service.alias.name());
        modes.collect::<Vec<_>>()
    };
    let (follow, fixed) = ("alias = \"follow\"", "alias = \"static\"");
    assert_eq!(modes("", ""), ["static", "static", "static"]);
    assert_eq!(modes("", follow), ["static", "follow", "static"]);
    assert_eq!(modes(follow, fixed), ["follow", "static", "follow"]);
    let said = complaints(&with("[policy]", "[policy]\nalias = \"folow\""));
    assert!(said.contains("alias in [policy]: unknown value \"folow\""), "{said}");
    assert!(said.contains("cure: did you mean \"follow\"?"), "{said}");
}

#[test]
fn a_host_finds_itself_by_address() {
    let config = Config::parse("vipward.toml", PAIR).expect("the example is right");
    let found = |address: &str| {
        let address = address.parse().expect("an address");
        config.members_at(&[address]).map(NodeName::as_str).next()
    };
    assert_eq!(found("172.31.0.124"), Some("resource-02"));
    assert_eq!(found("172.31.0.30"), Some("app-01"));
    assert_eq!(found("172.31.0.12"), None, "172.31.0.124 begins alike");
}

#[test]
fn the_digest_is_of_the_meaning() {
    let digest = |text: &str| Config::parse("x", text).expect("right").digest();
    assert_eq!(digest(PAIR), digest(&format!("# a comment\n{PAIR}")));
    assert_ne!(digest(PAIR), digest(&with("priority = 100", "priority = 101")));
    assert_eq!(digest(PAIR).len(), 16);
}

#[test]
fn every_fault_is_told_at_once_with_line_and_cure() {
    let text = r#"
cluster = "Prod"
subnet = "172.31.0.0/20"
colour = "blue"

[policy]
mode = "atc"
cooldwon = "60s"

[[node]]
name = "a"
address = "172.31.0.11"
eni = "eni-0a1b2c3d4e5f60001"

[[node]]
name = "a"
address = "10.0.0.12"
eni = "eni-0a1b2c3d4e5f60001"

[[service]]
name = "redis"
vip = "172.31.0.202"
check = { kind = "redis", port = 0 }

[[service]]
name = "mysql"
vip = "172.31.0.202"
"#;
    insta::assert_snapshot!(complaints(text));
}

/// Each text draws a fault with those words, and a cure.
fn assert_complaints(cases: &[(String, &str)]) {
    for (text, expected) in cases {
        let said = complaints(text);
        assert!(said.contains(expected), "expected {expected:?} in:\n{said}");
        assert!(said.lines().any(|line| line.starts_with("  cure: ")), "no cure in:\n{said}");
    }
}

#[test]
fn what_does_not_hold_together_is_told() {
    assert_complaints(&[
        (
            with("vip   = \"172.31.0.202\"", "vip = \"10.1.2.3\""),
            "VIP 10.1.2.3 of service redis is outside the subnet 172.31.0.0/20",
        ),
        (
            with("vip   = \"172.31.0.202\"", "vip = \"172.31.0.1\""),
            "is reserved by AWS in 172.31.0.0/20",
        ),
        (with("vip   = \"172.31.0.202\"", "vip = \"172.31.15.255\""), "is reserved by AWS"),
        (
            with("vip   = \"172.31.0.202\"", "vip = \"172.31.0.11\""),
            "is the address of node resource-01 itself",
        ),
        (
            with("name = \"app-01\"", "name = \"resource-01\""),
            "name resource-01 is already used by the host on line",
        ),
    ]);
}

#[test]
fn what_cannot_be_read_is_told() {
    assert_complaints(&[
        (with("kind = \"redis\"", "kind = \"redsi\""), "did you mean \"redis\"?"),
        (
            with("cooldown    = \"60s\"", "cooldown = 60"),
            "cooldown in [policy]: expected a string, found a whole number",
        ),
        (with("cooldown    = \"60s\"", "cooldown = \"soon\""), "\"soon\" is not a duration"),
        (with("cooldown    = \"60s\"", "cooldown = \"0s\""), "use a duration from 1s to 24h"),
        (with("cooldown    = \"60s\"", "stale_after = \"10s\""), "use a duration from 13s to 30m"),
        (
            with("failback    = \"never\"", "failback = \"later\""),
            "write \"never\", or \"after 10m\"",
        ),
        (
            with("failback    = \"never\"", "hints = \"no\""),
            "expected true or false, found a string",
        ),
        (with("moves = 3", "moves = 99"), "use a whole number from 1 to 15"),
        (with("priority = 100", "priority = -1"), "priority in [[node]]: -1 is out of range"),
        (with("[[witness]]", "[[witnes]]"), "did you mean \"witness\"?"),
        (with("cluster = ", "cluster : "), "is not TOML"),
        (
            "cluster = \"a\"\nnode = 3\n".to_owned(),
            "node in the configuration: expected an array of tables, found a whole number",
        ),
    ]);
}

const REDIS: &str = "check = { kind = \"redis\", port = 6379 }";

#[test]
fn a_check_has_the_keys_of_its_kind() {
    let read = |check: &str| {
        let text = with(REDIS, &format!("check = {{ {check} }}"));
        let config = Config::parse("vipward.toml", &text).expect(check);
        config.services[1].check.clone()
    };
    let postgres = read(r#"kind = "postgres", port = 5432, user = "vipward""#);
    assert_eq!(
        postgres.kind,
        CheckKind::Postgres {
            user: "vipward".to_owned(),
            password_file: None,
            database: "postgres".to_owned(),
            max_lag: None,
            tls: None,
        }
    );
    let exec = read(r#"kind = "exec", command = ["/bin/check", "a b"]"#);
    let command = vec!["/bin/check".to_owned(), "a b".to_owned()];
    assert_eq!((exec.kind.name(), exec.port), ("exec", None));
    assert_eq!(exec.kind, CheckKind::Exec { command, user: None });
    let user = read(r#"kind = "exec", command = ["/bin/check"], user = "nobody""#);
    assert!(matches!(user.kind, CheckKind::Exec { user: Some(user), .. } if user == "nobody"));
    assert_eq!(read(r#"kind = "exec", port = 80, command = ["/bin/check"]"#).port, Some(80));
}

#[test]
fn a_vip_follows_a_primary_only_where_the_check_sees_one() {
    let with_role = |role: &str| with(REDIS, &format!("{REDIS}\nrole = {role}"));
    let role = |text: &str| Config::parse("x", text).expect("right").services[1].role;
    assert_eq!(role(PAIR), Role::Any);
    assert_eq!(role(&with_role("\"any\"")), Role::Any);
    assert_eq!(role(&with_role("\"primary\"")), Role::Primary);
    let tcp = with_role("\"primary\"").replacen(REDIS, "check = { kind = \"tcp\", port = 1 }", 1);
    assert_complaints(&[
        (
            tcp,
            "role in [[service]]: \"primary\" needs a check that sees roles, and \"tcp\" does not",
        ),
        (with_role("\"primery\""), "did you mean \"primary\"?"),
    ]);
}

#[test]
fn hooks_and_units_are_read() {
    let lines = "unit = \"redis-server.service\"\n\
        on_acquire = { command = [\"/bin/up\", \"now\"], user = \"redis\", timeout = \"3s\" }\n\
        on_fault = { command = [\"/bin/tell\"] }";
    let text = with(REDIS, &format!("{REDIS}\n{lines}"));
    let service = Config::parse("x", &text).expect("right").services[1].clone();
    assert_eq!(service.unit.as_deref(), Some("redis-server.service"));
    let hook = |command: &[&str], user: Option<&str>, seconds| Hook {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        user: user.map(str::to_owned),
        timeout: Duration::from_secs(seconds),
    };
    let on_acquire = Some(hook(&["/bin/up", "now"], Some("redis"), 3));
    let on_fault = Some(hook(&["/bin/tell"], None, 10));
    assert_eq!(service.hooks, Hooks { on_acquire, on_release: None, on_fault });
    let digest = |text: &str| Config::parse("x", text).expect("right").digest();
    assert_ne!(digest(&text), digest(PAIR));
}

#[test]
fn hooks_and_units_that_cannot_work_are_told() {
    let line = |line: &str| with(REDIS, &format!("{REDIS}\n{line}"));
    assert_complaints(&[
        (line("unit = \"redis\""), "\"redis\" is not a service unit"),
        (line("unit = \".service\""), "is not a service unit"),
        (line("unit = \"my sql.service\""), "is not a service unit"),
        (line("unit = \"%i.service\""), "is not a service unit"),
        (
            line("on_acquire = \"/bin/up\""),
            "on_acquire in [[service]]: expected a table, found a string",
        ),
        (line("on_acquire = {}"), "on_acquire in [[service]] has no command"),
        (line("on_release = { command = [\"up\"] }"), "\"up\" is not an absolute path"),
        (line("on_fault = { command = [\"/up\"], user = \"\" }"), "is not a name"),
        (line("on_fault = { command = [\"/up\"], timeout = \"1h\" }"), "use a duration from 100ms"),
        (line("on_fault = { command = [\"/up\"], shell = true }"), "unknown key \"shell\""),
    ]);
}

#[test]
fn a_check_that_cannot_work_is_told() {
    let check = |check: &str| with(REDIS, &format!("check = {{ {check} }}"));
    assert_complaints(&[
        (check(r#"kind = "mysql", port = 3306"#), "has no user"),
        (check(r#"kind = "mysql", user = "a""#), "has no port"),
        (check(r#"kind = "mysql", port = 1, user = """#), "\"\" is not a name"),
        (check(r#"kind = "postgres", port = 1, user = "a\u0000""#), "is not a name"),
        (check(r#"kind = "postgres", port = 1, user = "a", database = 3"#), "expected a string"),
        (
            check(r#"kind = "mysql", port = 1, user = "a", password_file = "x.pw""#),
            "\"x.pw\" is not an absolute path",
        ),
        (
            check(r#"kind = "mysql", port = 1, user = "a", max_lag = "0s""#),
            "use a duration from 1s to 24h",
        ),
        (check(r#"kind = "mongodb", port = 1, user = "a""#), "unknown key \"user\""),
        (check(r#"kind = "tcp", port = 1, max_lag = "9s""#), "unknown key \"max_lag\""),
        (check(r#"kind = "exec""#), "has no command"),
        (check(r#"kind = "exec", command = "true""#), "expected an array of strings"),
        (check(r#"kind = "exec", command = []"#), "is empty"),
        (check(r#"kind = "exec", command = ["true"]"#), "\"true\" is not an absolute path"),
        (check(r#"kind = "systemd", unit = "a.service""#), "has no port"),
        (check(r#"kind = "systemd", port = 1, unit = "nginx""#), "\"nginx\" is not a unit"),
        (check(r#"kind = "systemd", port = 1, unit = "a b.service""#), "is not a unit"),
        (check(r#"kind = "http", port = 1, body = "(""#), "is not a regular expression"),
        (check(r#"kind = "http", port = 1, host = "a/b""#), "\"a/b\" is not a host name"),
        (check(r#"kind = "http", port = 1, verify = false"#), "needs TLS, which is off"),
        (
            check(r#"kind = "https", port = 1, ca_file = "/ca.pem", verify = false"#),
            "trusts any certificate, whatever ca_file says",
        ),
        (check(r#"kind = "redis", port = 1, ca_file = "/x""#), "add tls = true"),
        (check(r#"kind = "redis", port = 1, tls = true, ca_file = "x""#), "not an absolute path"),
        (check(r#"kind = "tcp", port = 1, tls = true"#), "unknown key \"tls\""),
        (check(r#"kind = "exec", command = ["/bin/true", 3]"#), "expected strings only"),
        (check(r#"kind = "exec", command = ["/bin/true", "\u0000"]"#), "contains a zero byte"),
    ]);
}

#[test]
fn tls_is_spoken_where_the_check_says_so() {
    let kind = |check: &str| {
        let text = with(REDIS, &format!("check = {{ {check} }}"));
        let config = Config::parse("vipward.toml", &text).expect(check);
        config.services[1].check.kind.clone()
    };
    let default = || Tls { name: None, ca_file: None, verify: true };
    let https = kind(r#"kind = "https", port = 443"#);
    assert_eq!(https.name(), "https");
    let CheckKind::Http { host: None, tls, .. } = https else { panic!("{https:?}") };
    assert_eq!(tls, Some(default()));
    let https = kind(r#"kind = "https", port = 443, host = "a.example", verify = false"#);
    let CheckKind::Http { host: Some(_), tls, .. } = https else { panic!("{https:?}") };
    assert_eq!(tls, Some(Tls { name: Some("a.example".to_owned()), verify: false, ..default() }));
    let redis = kind(r#"kind = "redis", port = 1, tls = true, ca_file = "/ca.pem""#);
    let CheckKind::Redis { tls, .. } = redis else { panic!("{redis:?}") };
    assert_eq!(tls, Some(Tls { ca_file: Some(PathBuf::from("/ca.pem")), ..default() }));
    let plain = kind(r#"kind = "http", port = 80, host = "a.example", body = 'ok \d'"#);
    assert_eq!(plain.name(), "http");
}

#[test]
fn a_dead_host_is_noticed_within_what_the_file_says() {
    for (policy, fall) in [("", 1), ("", 2), ("", 3), ("dead_after = \"3s\"", 2)] {
        let text = with("cooldown    = \"60s\"", policy);
        let check = format!("check = {{ kind = \"tcp\", port = 1, fall = {fall} }}");
        let config = Config::parse("x", &text.replacen(REDIS, &check, 1)).expect("right");
        let check = &config.services[1].check;
        let worst = config.policy.knock_interval() + check.connect_timeout * (fall + 1);
        assert!(worst <= config.policy.dead_after, "{policy} {fall}: {worst:?}");
        assert!(check.connect_timeout <= check.timeout);
    }
}

#[test]
fn a_subnet_is_one_that_aws_has() {
    let subnet = "subnet  = \"172.31.0.0/20\"";
    assert_complaints(&[
        (with(subnet, "subnet = \"172.31.0.5/20\""), "cure: write \"172.31.0.0/20\""),
        (with(subnet, "subnet = \"172.31.0.0/8\""), "use a prefix from /16 to /28"),
        (with(subnet, "subnet = \"172.31.0.0/31\""), "use a prefix from /16 to /28"),
        (with(subnet, "subnet = \"172.31.0.0/33\""), "is not a CIDR block"),
        (with("port = 6379", "port = \"6379\""), "write it like 6379, without quotes"),
    ]);
}

#[test]
fn too_many_services_name_the_limit() {
    let mut text = PAIR.to_owned();
    for n in 0..40 {
        text.push_str("[[service]]\ncheck = { kind = \"tcp\", port = 80 }\n");
        let _ = writeln!(text, "name = \"s{n}\"\nvip = \"172.31.1.{n}\"");
    }
    assert!(complaints(&text).contains("split the cluster"));
}

#[test]
fn an_unreadable_file_is_a_fault_of_the_configuration() {
    for (kind, cure) in [
        (io::ErrorKind::NotFound, "correct the path"),
        (io::ErrorKind::PermissionDenied, "let the user who runs vipward read it"),
        (io::ErrorKind::InvalidData, "save it as UTF-8"),
        (io::ErrorKind::TimedOut, "check the path"),
    ] {
        let faults = Config::load(Path::new("vipward.toml"), |_| Err(kind.into()))
            .expect_err("it cannot be read");
        assert!(faults.to_string().contains(cure), "{faults}");
    }
}

#[test]
fn a_group_has_several_services_that_the_same_nodes_may_hold() {
    let grouped = |lines: &[(&str, &str)]| {
        lines.iter().fold(PAIR.to_owned(), |text, (name, lines)| {
            let line = format!("name  = \"{name}\"");
            assert!(text.contains(&line), "no {line}");
            text.replacen(&line, &format!("{line}\n{lines}"), 1)
        })
    };
    let db = "group = \"db\"";
    let config = Config::parse("x", &grouped(&[("mysql", db), ("mongodb", db)])).expect("right");
    let groups: Vec<Vec<&str>> =
        config.groups().map(|group| group.iter().map(|s| s.name.as_str()).collect()).collect();
    assert_eq!(groups, [vec!["mysql", "mongodb"], vec!["redis"]]);
    let digest = |text: &str| Config::parse("x", text).expect("right").digest();
    assert_ne!(config.digest(), digest(PAIR));
    assert_complaints(&[
        (grouped(&[("redis", db)]), "service redis is alone in group db"),
        (
            grouped(&[("mysql", db), ("redis", "group = \"db\"\nrole = \"primary\"")]),
            "service mysql in group db follows no primary, but redis on line",
        ),
        (grouped(&[("redis", "group = \"My DB\"")]), "group in [[service]]"),
    ]);
}
