//! No circle of files inside a crate: of two files that need each other neither is understood
//! alone. A module and what lies in it are one.

use std::collections::{BTreeMap, BTreeSet};

use super::text::Source;

/// The modules of one crate, each with those that its shipped code names.
type Modules = BTreeMap<String, BTreeSet<String>>;

/// Every circle, as a sentence.
pub fn check(sources: &[Source]) -> Vec<String> {
    let mut crates: BTreeMap<&str, BTreeMap<String, &str>> = BTreeMap::new();
    for source in sources {
        if let Some((of, module)) = placed(&source.path) {
            crates.entry(of).or_default().insert(module, &source.text);
        }
    }
    let circles = crates.iter().filter_map(|(of, texts)| {
        let modules = modules(texts);
        let circle = circle(&modules);
        circle.map(|circle| format!("{of}: {}: files that need each other", circle.join(" -> ")))
    });
    circles.collect()
}

/// The crate that a file belongs to, and the module it is; tests are none.
fn placed(path: &str) -> Option<(&str, String)> {
    let (of, inside) = path.strip_suffix(".rs")?.split_once("/src/")?;
    let mut parts: Vec<_> = inside.split('/').collect();
    if parts.contains(&"tests") {
        return None;
    }
    if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
        parts.pop();
    }
    Some((of, parts.join("::")))
}

fn modules(texts: &BTreeMap<String, &str>) -> Modules {
    let known: BTreeSet<&String> = texts.keys().collect();
    let needs = |(module, text): (&String, &&str)| {
        let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n");
        let named = paths(&code, module).into_iter().filter_map(|path| nearest(&path, &known));
        let others = named.filter(|other| !is_family(module, other)).collect();
        (module.clone(), others)
    };
    texts.iter().map(needs).collect()
}

/// The module that a path lies in: the longest beginning that is one.
fn nearest(path: &[String], known: &BTreeSet<&String>) -> Option<String> {
    (1..=path.len()).rev().map(|end| path[..end].join("::")).find(|name| known.contains(name))
}

fn is_family(one: &str, other: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        outer.is_empty() || inner == outer || inner.starts_with(&format!("{outer}::"))
    };
    holds(one, other) || holds(other, one)
}

/// All paths from `crate`, `super` and `self` on, groups taken apart.
fn paths(code: &str, module: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        let is_word = |at: usize| {
            code[..at]
                .chars()
                .next_back()
                .is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
        };
        for (at, _) in code.match_indices(start).filter(|(at, _)| is_word(*at)) {
            let mut base: Vec<String> = match start {
                "crate::" => Vec::new(),
                _ => {
                    module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
                }
            };
            let mut rest = &code[at..];
            while let Some(after) = rest.strip_prefix("super::") {
                base.pop();
                rest = after;
            }
            rest = rest.strip_prefix("crate::").or(rest.strip_prefix("self::")).unwrap_or(rest);
            collect(&base, rest, &mut paths);
        }
    }
    paths
}

/// The path at the beginning of `rest`, or each of the group there.
fn collect(base: &[String], rest: &str, paths: &mut Vec<Vec<String>>) {
    if let Some(group) = rest.strip_prefix('{') {
        for item in items(group) {
            collect(base, item.trim(), paths);
        }
        return;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let path = [base, &[rest[..end].to_owned()]].concat();
    match rest[end..].strip_prefix("::") {
        Some(more) => collect(&path, more, paths),
        None => paths.push(path),
    }
}

/// What stands between the commas of a group, up to its end.
fn items(group: &str) -> Vec<&str> {
    let (mut items, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[from..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// One circle, if there is any.
fn circle(modules: &Modules) -> Option<Vec<String>> {
    modules.keys().find_map(|start| {
        let mut ways = vec![vec![start.clone()]];
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop() {
            for next in way.last().and_then(|last| modules.get(last)).into_iter().flatten() {
                let longer = [way.clone(), vec![next.clone()]].concat();
                if next == start {
                    return Some(longer);
                }
                if seen.insert(next.clone()) {
                    ways.push(longer);
                }
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| Source {
            path: format!("src/made-up/src/{path}.rs"),
            text: (*text).to_owned(),
        };
        check(&files.iter().map(source).collect::<Vec<_>>())
    }

    #[test]
    fn a_circle_of_files_is_found_however_it_is_written() {
        for back in [
            "use crate::a::A;",
            "use super::a::A;",
            "use crate::{c::C, a::{self, A}};",
            "fn f() -> crate::a::A {}",
        ] {
            let found =
                findings(&[("a", "use crate::b::B;"), ("b", "use super::c::C;"), ("c", back)]);
            assert_eq!(
                found,
                ["src/made-up: a -> b -> c -> a: files that need each other"],
                "{back}"
            );
        }
    }

    #[test]
    fn a_module_and_what_lies_in_it_are_one_and_tests_are_free() {
        let family = [("a", "mod b; use b::B;"), ("a/b", "use super::A; use crate::a::C;")];
        assert_eq!(findings(&family), [""; 0]);
        let tested =
            [("a", "use crate::b::B;"), ("b", "#[cfg(test)]\nmod tests {\n use crate::a::A;\n}")];
        assert_eq!(findings(&tested), [""; 0]);
        assert_eq!(
            findings(&[("a", "use crate::b::B;"), ("b/tests", "use crate::a::A;")]),
            [""; 0]
        );
        let told = [("a", "use crate::b::B;"), ("b", "//! As [`crate::a`].\n/// See crate::a::A.")];
        assert_eq!(findings(&told), [""; 0]);
    }
}
