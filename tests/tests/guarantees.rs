//! docs/guarantees.md holds together: what it names as its proof is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vipward_simulator::Rule;

/// The pains that users suffer from elsewhere.
const PAINS: usize = 25;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of every Rust file in the workspace.
fn sources() -> String {
    let mut text = String::new();
    let mut folders: Vec<PathBuf> =
        ["src", "functions", "tests"].iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                text.push_str(&fs::read_to_string(&path).expect("is text"));
            }
        }
    }
    text
}

/// The rows whose last column says what checks them, with the proofs that each names.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let mut rows = Vec::new();
    let mut is_proven = false;
    for line in text.lines() {
        if !line.starts_with('|') {
            is_proven = false;
        } else if line.ends_with("| checked by |") {
            is_proven = true;
        } else if is_proven && !line.starts_with("|---") {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
            let (proof, promise) = cells.split_last().expect("a row has cells");
            let names = proof.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            rows.push((promise.join(" "), names));
        }
    }
    rows
}

fn is_there(name: &str, sources: &str) -> bool {
    if let Some(rule) = name.strip_prefix("simulator: ") {
        return Rule::ALL.iter().any(|known| known.text() == rule);
    }
    if name.ends_with(".scenario") {
        return root().join("tests/scenarios").join(name).is_file();
    }
    if Path::new(name).extension().is_some_and(|end| end == "toml") {
        return root().join("src/simulator/histories").join(name).is_file();
    }
    ["()", "(\n"].iter().any(|after| sources.contains(&format!("fn {name}{after}")))
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let text = fs::read_to_string(root().join("docs/guarantees.md")).expect("it is there");
    let sources = sources();
    let rows = rows(&text);
    assert!(rows.len() > PAINS + 50, "the tables are found: {}", rows.len());
    let missing: Vec<_> = rows
        .iter()
        .filter(|(_, names)| names.is_empty() || names.iter().any(|n| !is_there(n, &sources)))
        .collect();
    assert!(missing.is_empty(), "without proof: {missing:#?}");
}

#[test]
fn every_pain_is_answered() {
    let text = fs::read_to_string(root().join("docs/guarantees.md")).expect("it is there");
    let numbers: BTreeSet<usize> = rows(&text)
        .iter()
        .filter_map(|(promise, _)| promise.trim().split(' ').next()?.parse().ok())
        .collect();
    assert_eq!(numbers, (1..=PAINS).collect());
}
