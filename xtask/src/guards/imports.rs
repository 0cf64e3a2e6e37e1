//! Who may depend on whom: the table of parts in ARCHITECTURE.md, as data.
//!
//! `deny.toml` names the only direct users of aws-sdk-ec2 and rtnetlink; here is what it cannot
//! say: directions, and what must not be reached by any way.

use super::graph::Graph;

/// What each package of the workspace may import from the workspace, tests' imports included.
/// The lab starts the programs as child processes, and so needs few of the libraries.
const MAY_IMPORT: [(&str, &[&str]); 19] = [
    ("vipward-core", &[]),
    ("vipward-probes", &["vipward-core"]),
    ("vipward-region-model", &[]),
    ("vipward-region", &["vipward-core", "vipward-region-model"]),
    ("vipward-render", &["vipward-core"]),
    ("vipward-observe", &["vipward-core"]),
    ("vipward-imds", &[]),
    ("vipward-aws-http", &[]),
    (
        "vipward-agent",
        &["vipward-aws-http", "vipward-core", "vipward-imds", "vipward-observe", "vipward-probes"],
    ),
    ("vipward-upkeep", &["vipward-core"]),
    ("vipward-alias", &["vipward-core", "vipward-imds", "vipward-upkeep"]),
    ("vipward", &["vipward-aws-http", "vipward-core", "vipward-render"]),
    ("vipward-manual", &["vipward-core", "vipward", "vipward-agent", "vipward-alias"]),
    ("vipward-reconcile", &["vipward-core"]),
    ("vipward-failover", &["vipward-core", "vipward-reconcile"]),
    (
        "vipward-simulator",
        &[
            "vipward-core",
            "vipward-observe",
            "vipward-reconcile",
            "vipward-region-model",
            "vipward-render",
            "vipward-upkeep",
        ],
    ),
    ("vipward-lab", &["vipward-core"]),
    ("vipward-tests", &["vipward-simulator"]),
    ("xtask", &[]),
];

/// What must not be reached from where, by any way, and why. A `*` ends a pattern.
struct Never {
    from: &'static [&'static str],
    what: &'static [&'static str],
    why: &'static str,
}

const NEVER: [Never; 5] = [
    Never {
        from: &["vipward-core"],
        what: &[
            "async-*",
            "aws-*",
            "aws_*",
            "axum",
            "futures*",
            "hyper*",
            "lambda_runtime",
            "mio",
            "redis",
            "reqwest",
            "rtnetlink",
            "rustls*",
            "socket2",
            "tokio*",
        ],
        why: "the core is pure: no I/O, no async, no SDK",
    },
    Never {
        from: &[
            "vipward",
            "vipward-agent",
            "vipward-alias",
            "vipward-aws-http",
            "vipward-imds",
            "vipward-lab",
            "vipward-observe",
            "vipward-probes",
            "vipward-reconcile",
            "vipward-region",
            "vipward-region-model",
            "vipward-render",
            "vipward-simulator",
            "vipward-upkeep",
            "xtask",
        ],
        what: &["aws-sdk-ec2"],
        why: "only the function may change EC2, and it costs minutes to build",
    },
    Never {
        from: &[
            "vipward",
            "vipward-agent",
            "vipward-aws-http",
            "vipward-failover",
            "vipward-imds",
            "vipward-lab",
            "vipward-observe",
            "vipward-probes",
            "vipward-reconcile",
            "vipward-region",
            "vipward-region-model",
            "vipward-render",
            "vipward-simulator",
            "vipward-upkeep",
            "xtask",
        ],
        what: &["netlink-*", "rtnetlink"],
        why: "only the alias unit touches a host's addresses",
    },
    Never {
        from: &[
            "vipward-observe",
            "vipward-reconcile",
            "vipward-region-model",
            "vipward-render",
            "vipward-simulator",
            "vipward-upkeep",
        ],
        what: &["aws-*", "hyper*", "lambda_runtime", "rustls*", "tokio*"],
        why: "what decides runs in the programs and in the simulator: no SDK, no runtime",
    },
    Never {
        from: &["vipward-alias", "vipward-imds", "vipward-region"],
        what: &["aws-*", "aws_*", "redis", "reqwest"],
        why: "the alias unit asks the instance metadata and nobody else; the region must not share an SDK's mistakes",
    },
];

/// Every breach, as a sentence.
pub fn check(graph: &Graph) -> Vec<String> {
    let mut findings = directions(graph);
    for rule in &NEVER {
        for from in rule.from {
            let way = graph.way(from, |name| rule.what.iter().any(|what| fits(what, name)));
            findings.extend(way.map(|way| format!("{}: {}", way.join(" -> "), rule.why)));
        }
    }
    findings
}

fn directions(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, package) in graph.members() {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(known, _)| *known == name) else {
            findings.push(format!("{name}: not in the table of xtask/src/guards/imports.rs"));
            continue;
        };
        let own = |import: &&String| graph.0.get(*import).is_some_and(|p| p.member);
        let wrong =
            package.all.iter().filter(own).filter(|import| !allowed.contains(&import.as_str()));
        findings.extend(wrong.map(|import| format!("{name} -> {import}: imports flow one way")));
    }
    findings
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guards::graph::Package;

    /// `shipped` and `test` edges between packages; those named vipward* or xtask are members.
    fn graph(shipped: &[(&str, &str)], test: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in shipped.iter().chain(test) {
            for name in [from, to] {
                let member = name.starts_with("vipward") || *name == "xtask";
                graph
                    .0
                    .entry((*name).to_owned())
                    .or_insert(Package { member, ..Package::default() });
            }
            graph.0.get_mut(*from).unwrap().all.insert((*to).to_owned());
        }
        for (from, to) in shipped {
            graph.0.get_mut(*from).unwrap().shipped.insert((*to).to_owned());
        }
        graph
    }

    #[test]
    fn the_right_directions_pass() {
        let graph = graph(
            &[
                ("vipward-core", "jiff"),
                ("vipward-agent", "vipward-core"),
                ("vipward-agent", "vipward-probes"),
                ("vipward-agent", "aws-sdk-cloudwatch"),
                ("vipward-alias", "rtnetlink"),
                ("vipward-failover", "aws-sdk-ec2"),
                ("vipward-lab", "vipward-core"),
            ],
            &[("vipward-core", "tokio")],
        );
        assert_eq!(check(&graph), Vec::<String>::new());
    }

    #[test]
    fn each_forbidden_edge_is_found() {
        for (from, to) in [
            ("vipward-core", "vipward-probes"),
            ("vipward-probes", "vipward-agent"),
            ("vipward-region", "vipward-failover"),
            ("vipward-alias", "vipward-probes"),
            ("vipward-lab", "vipward-failover"),
            ("vipward-agent", "aws-sdk-ec2"),
            ("vipward-failover", "rtnetlink"),
            ("vipward-alias", "aws-sdk-cloudwatch"),
            ("vipward-region", "aws-smithy-types"),
            ("vipward-core", "tokio-util"),
            ("xtask", "vipward-core"),
        ] {
            let findings = check(&graph(&[(from, to)], &[]));
            assert_eq!(findings.len(), 1, "{from} -> {to}: {findings:?}");
            assert!(findings[0].starts_with(&format!("{from} -> {to}: ")), "{findings:?}");
        }
    }

    #[test]
    fn a_detour_is_found_and_shown() {
        let graph = graph(&[("vipward-core", "innocent"), ("innocent", "tokio")], &[]);
        let findings = check(&graph);
        assert!(findings[0].starts_with("vipward-core -> innocent -> tokio: "), "{findings:?}");
    }

    #[test]
    fn a_test_may_not_turn_the_direction_round() {
        let findings = check(&graph(&[], &[("vipward-core", "vipward-region")]));
        assert_eq!(findings, ["vipward-core -> vipward-region: imports flow one way"]);
    }

    #[test]
    fn a_new_package_must_enter_the_table() {
        let findings = check(&graph(&[("vipward-novelty", "jiff")], &[]));
        assert!(findings[0].contains("not in the table"), "{findings:?}");
    }

    #[test]
    fn a_circle_ends() {
        let graph =
            graph(&[("vipward-core", "a"), ("a", "b"), ("b", "a"), ("b", "vipward-core")], &[]);
        assert_eq!(check(&graph), Vec::<String>::new());
    }
}
