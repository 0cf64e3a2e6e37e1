//! A reader over a parsed TOML table that knows its lines, remembers which keys were asked for,
//! and collects faults instead of stopping at the first.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;

/// What is wrong with a value, before it is known where it stands.
pub(super) struct Wrong {
    pub what: String,
    pub cure: String,
}

impl Wrong {
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), cure: cure.into() }
    }
}

/// The faults found so far, and the text that gives them their lines.
pub(super) struct Findings<'t> {
    text: &'t str,
    faults: RefCell<Vec<Fault>>,
}

impl<'t> Findings<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, faults: RefCell::default() }
    }

    pub fn line_of(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(self.text);
        1 + before.matches('\n').count()
    }

    pub fn add(&self, line: usize, wrong: Wrong) {
        self.faults.borrow_mut().push(Fault {
            line: Some(line),
            what: wrong.what,
            cure: wrong.cure,
        });
    }

    pub fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }
}

/// One table of the file, for as long as it is being read.
pub(super) struct Table<'t> {
    /// How the table is called in messages, such as `[[node]]`.
    pub title: String,
    /// 1-based line on which it begins.
    pub line: usize,
    entries: BTreeMap<&'t str, &'t Spanned<DeValue<'t>>>,
    key_lines: BTreeMap<&'t str, usize>,
    asked: RefCell<BTreeSet<&'static str>>,
    findings: &'t Findings<'t>,
}

impl<'t> Table<'t> {
    pub fn new(
        title: impl Into<String>,
        line: usize,
        table: &'t DeTable<'t>,
        findings: &'t Findings<'t>,
    ) -> Self {
        let mut entries = BTreeMap::new();
        let mut key_lines = BTreeMap::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            entries.insert(name, value);
            key_lines.insert(name, findings.line_of(key.span().start));
        }
        let asked = RefCell::default();
        Self { title: title.into(), line, entries, key_lines, asked, findings }
    }

    /// The value of `key`, if it is there and `read` can make sense of it.
    pub fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'t DeValue<'t>) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.asked.borrow_mut().insert(key);
        let value = self.entries.get(key)?;
        match read(value.get_ref()) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let what = format!("{key} in {}: {}", self.title, wrong.what);
                self.findings.add(self.line_of(key), Wrong::new(what, wrong.cure));
                None
            }
        }
    }

    /// Like [`Table::optional`], and a fault when the key is missing.
    pub fn required<T>(
        &self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.demand(key, example);
        self.optional(key, read)
    }

    fn demand(&self, key: &'static str, example: &str) {
        if !self.entries.contains_key(key) {
            let wrong = Wrong::new(
                format!("{} has no {key}", self.title),
                format!("add a line such as: {key} = {example}"),
            );
            self.findings.add(self.line, wrong);
        }
    }

    /// Like [`Table::table`], and a fault when the key is missing.
    pub fn required_table(
        &self,
        key: &'static str,
        title: &str,
        example: &str,
    ) -> Option<Table<'t>> {
        self.demand(key, example);
        self.table(key, title)
    }

    /// The table under `key`; absent or of another type: `None`, the latter with a fault.
    pub fn table(&self, key: &'static str, title: &str) -> Option<Table<'t>> {
        let line = self.line_of(key);
        let findings = self.findings;
        self.optional(key, |value| match value {
            DeValue::Table(table) => Ok(Table::new(title, line, table, findings)),
            other => Err(mistyped(other, "a table", "{ … }")),
        })
    }

    /// The tables under `[[key]]`, in the order of the file.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'t>> {
        let title = format!("[[{key}]]");
        let findings = self.findings;
        let items = self.optional(key, |value| {
            let DeValue::Array(items) = value else {
                return Err(mistyped(value, "an array of tables", &title));
            };
            items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::Table(table) => {
                        let line = findings.line_of(item.span().start);
                        Ok(Table::new(title.clone(), line, table, findings))
                    }
                    other => Err(mistyped(other, "a table", &title)),
                })
                .collect()
        });
        items.unwrap_or_default()
    }

    /// The line of `key`, or of the table when the key is not there.
    pub fn line_of(&self, key: &str) -> usize {
        self.key_lines.get(key).copied().unwrap_or(self.line)
    }

    /// Reports every key that nobody asked for.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, line) in &self.key_lines {
            if !asked.contains(key) {
                let known: Vec<&str> = asked.iter().copied().collect();
                let wrong = Wrong::new(
                    format!("unknown key {key:?} in {}", self.title),
                    cure_for_unknown(key, &known),
                );
                self.findings.add(*line, wrong);
            }
        }
    }
}

/// A word near enough to be a slip of the pen, or else all that would be right.
pub(super) fn cure_for_unknown(word: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, name)) if likeness > 0.8 => format!("did you mean {name:?}?"),
        _ => format!("use one of: {}", known.join(", ")),
    }
}

/// The fault of a value of the wrong type.
pub(super) fn mistyped(value: &DeValue<'_>, expected: &str, example: &str) -> Wrong {
    let found = match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    Wrong::new(format!("expected {expected}, found {found}"), format!("write it like {example}"))
}
