//! One word for one thing: names that were given up, each with the word that took its place. The
//! glossary of ARCHITECTURE.md has the words that are left.

use super::text::Source;

/// It lists the words, and so contains them.
const LIST: &str = "xtask/src/guards/retired.rs";

/// A name of Rust code that is not to come back.
struct Retired {
    name: &'static str,
    instead: &'static str,
}

const RETIRED: [Retired; 24] = [
    Retired { name: "Sighting", instead: "VerdictChange" },
    Retired { name: "sighting", instead: "change" },
    Retired { name: "Testimony", instead: "Observations" },
    Retired { name: "testimony", instead: "observations" },
    Retired { name: "Shortfall", instead: "ProbeFailure" },
    Retired { name: "shortfall", instead: "failure" },
    Retired { name: "OwnWord", instead: "OwnObservation" },
    Retired { name: "PeerWord", instead: "PeerHealth" },
    Retired { name: "Court", instead: "Judge" },
    Retired { name: "Glance", instead: "Triage" },
    Retired { name: "glance", instead: "triage" },
    Retired { name: "LASTING", instead: "UNREACHABLE_FOR" },
    Retired { name: "Office", instead: "Operator" },
    Retired { name: "Obeyed", instead: "OrderOutcome" },
    Retired { name: "countermand", instead: "cancel" },
    Retired { name: "Duty", instead: "Desired" },
    Retired { name: "Duties", instead: "Lifecycle" },
    Retired { name: "Wish", instead: "ClusterSpec, AgentAction or AliasAction" },
    Retired { name: "Manner", instead: "GlobalOptions" },
    Retired { name: "Talk", instead: "Console" },
    Retired { name: "Happening", instead: "JournalEvent" },
    Retired { name: "happening", instead: "event" },
    Retired { name: "clerk", instead: "ports" },
    Retired { name: "errand", instead: "task" },
];

/// Names that deployed stacks have: under another logical id a stack would make an alarm before the
/// one of the same name is gone, and fail.
const DEPLOYED: [(&str, &str); 1] = [("src/render/src/", "OwnWord")];

/// Every use in a Rust file, as `path:line: what`.
pub fn check(sources: &[Source]) -> Vec<String> {
    let rust = sources.iter().filter(|source| source.is_rust() && source.path != LIST);
    rust.flat_map(findings).collect()
}

fn findings(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        for Retired { name, instead } in &RETIRED {
            let path = &source.path;
            let is_deployed =
                DEPLOYED.iter().any(|(place, id)| path.starts_with(place) && id == name);
            if !is_deployed && names(line).any(|found| found == *name) {
                findings.push(format!("{path}:{number}: `{name}` is retired: say `{instead}`"));
            }
        }
    }
    findings
}

/// The identifiers and words of a line.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_name_is_found_in_code_and_comments_of_rust_only() {
        let source =
            |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        let found = check(&[
            source("src/a.rs", "struct Testimony;\n/// The shortfall.\nlet court_yard = 1;\n"),
            source("docs/a.md", "Testimony\n"),
        ]);
        assert_eq!(
            found,
            [
                "src/a.rs:1: `Testimony` is retired: say `Observations`",
                "src/a.rs:2: `shortfall` is retired: say `failure`",
            ]
        );
    }
}
