//! What is in the files: short ones, finished ones, none that names a machine.

use std::path::Path;

use super::forbidden::{MACROS, WORDS};

/// Lines of a Rust file.
const MOST_LINES: usize = 400;
/// Columns of a comment: the formatter holds code to them, and leaves comments alone.
const MOST_COLUMNS: usize = 100;

/// It lists the words, and so contains them.
const LIST: &str = "xtask/src/guards/forbidden.rs";

#[derive(Debug, Clone)]
pub struct Source {
    /// In the clone, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

/// Every breach, as `path:line: what`.
pub fn check(sources: &[Source]) -> Vec<String> {
    let sources = sources.iter().filter(|source| source.path != LIST);
    let checks = [length, columns, macros, words];
    sources.flat_map(|source| checks.map(|check| check(source))).flatten().collect()
}

fn length(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if !source.is_rust() || lines <= MOST_LINES {
        return Vec::new();
    }
    vec![format!("{}: {lines} lines, at most {MOST_LINES} are allowed", source.path)]
}

fn columns(source: &Source) -> Vec<String> {
    let is_long =
        |line: &str| line.trim_start().starts_with("//") && line.chars().count() > MOST_COLUMNS;
    let lines =
        (1..).zip(source.text.lines()).filter(|(_, line)| source.is_rust() && is_long(line));
    let finding = |(number, _)| {
        let path = &source.path;
        format!("{path}:{number}: a comment of more than {MOST_COLUMNS} columns")
    };
    lines.map(finding).collect()
}

fn macros(source: &Source) -> Vec<String> {
    if source.is_rust() { occurrences(source, &MACROS) } else { Vec::new() }
}

fn words(source: &Source) -> Vec<String> {
    if is_lock(source) { Vec::new() } else { occurrences(source, &WORDS) }
}

/// A word counts where it begins: a relative path that contains one names no machine.
fn occurrences(source: &Source, words: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        for word in words {
            let begins = |at: usize| !line[..at].ends_with(is_word_character);
            if line.match_indices(word).any(|(at, _)| begins(at)) {
                findings.push(format!("{}:{number}: `{word}` must not be here", source.path));
            }
        }
    }
    findings
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '}')
}

/// Lock files name the registries that their tools resolved from.
fn is_lock(source: &Source) -> bool {
    let name = source.path.rsplit('/').next().unwrap_or_default();
    matches!(name, "Cargo.lock" | "package-lock.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&[Source { path: path.to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn a_long_file_of_rust_is_found() {
        assert_eq!(findings("src/a.rs", &"\n".repeat(MOST_LINES)), Vec::<String>::new());
        let found = findings("src/a.rs", &"\n".repeat(MOST_LINES + 1));
        assert_eq!(found, ["src/a.rs: 401 lines, at most 400 are allowed"]);
        assert_eq!(findings("docs/a.md", &"\n".repeat(MOST_LINES + 1)), Vec::<String>::new());
    }

    #[test]
    fn a_long_comment_is_found() {
        let text = |columns: usize| format!("    // {}", "é".repeat(columns - 7));
        assert_eq!(findings("src/a.rs", &text(MOST_COLUMNS)), Vec::<String>::new());
        let found = findings("src/a.rs", &text(MOST_COLUMNS + 1));
        assert_eq!(found, ["src/a.rs:1: a comment of more than 100 columns"]);
        assert_eq!(findings("docs/a.md", &text(MOST_COLUMNS + 1)), Vec::<String>::new());
    }

    #[test]
    fn unfinished_work_is_found_with_its_line() {
        for unfinished in MACROS {
            let text = format!("fn main() {{\n    {unfinished});\n}}\n");
            let found = findings("src/a.rs", &text);
            assert_eq!(found, [format!("src/a.rs:2: `{unfinished}` must not be here")]);
            assert_eq!(findings("docs/a.md", &text), Vec::<String>::new());
        }
        assert_eq!(findings("src/a.rs", &format!("my_{});", MACROS[0])), Vec::<String>::new());
    }

    #[test]
    fn a_machine_or_a_registry_that_is_named_is_found() {
        for word in WORDS {
            assert_eq!(findings("docs/a.md", &format!("see `{word}x`")).len(), 1, "{word}");
            assert_eq!(findings("Cargo.lock", word), Vec::<String>::new(), "{word}");
            assert_eq!(findings("infra/cdk/package-lock.json", word), Vec::<String>::new());
        }
    }

    #[test]
    fn a_relative_path_names_no_machine() {
        for word in WORDS.iter().filter(|word| word.starts_with('/')) {
            assert_eq!(findings("src/a.rs", &format!("target{word}x")), Vec::<String>::new());
        }
    }
}
