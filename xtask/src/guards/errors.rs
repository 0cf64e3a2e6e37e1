//! No error's message contains its source: programs print the whole chain, and would say it twice.

use super::text::Source;

const ATTRIBUTE: &str = "#[error";

/// Every message that does, as `path:line: what`.
pub fn check(sources: &[Source]) -> Vec<String> {
    sources.iter().filter(|source| source.is_rust()).flat_map(in_file).collect()
}

fn in_file(source: &Source) -> Vec<String> {
    let shipped = source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: Vec<_> = shipped.lines().map(without_comment).collect();
    let code = code.join("\n");
    let finding = |(at, _): (usize, &str)| {
        let (message, item) = enclosed(&code[at + ATTRIBUTE.len()..])?;
        let said =
            fields(item).into_iter().find(|field| field.is_source && field.is_in(message))?;
        let line = code[..at].matches('\n').count() + 1;
        let (path, name) = (&source.path, said.name);
        Some(format!("{path}:{line}: the message contains its source `{name}`, as the chain does"))
    };
    code.match_indices(ATTRIBUTE).filter_map(finding).collect()
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line }
}

/// A field of an error, by its name or its place.
struct Field {
    name: String,
    is_source: bool,
}

impl Field {
    fn new(place: usize, text: &str, is_named: bool) -> Self {
        let marked = text.contains("#[source]") || text.contains("#[from]");
        if !is_named {
            return Self { name: place.to_string(), is_source: marked };
        }
        let name = text.split(':').next().unwrap_or_default();
        let name = name.rsplit(|c: char| !is_word(c)).next().unwrap_or_default().to_owned();
        Self { is_source: marked || name == "source", name }
    }

    /// Whether a format string has it, or its arguments.
    fn is_in(&self, message: &str) -> bool {
        let name = self.name.as_str();
        let (format, arguments) = message.trim_start().split_at(literal_len(message.trim_start()));
        let is_placeholder = |(at, _): (usize, &str)| {
            format[..at].ends_with('{') && format[at + name.len()..].starts_with(['}', ':'])
        };
        let is_argument = |(at, _): (usize, &str)| {
            let (before, after) = (&arguments[..at], &arguments[at + name.len()..]);
            !before.ends_with(is_word) && !after.starts_with(is_word)
        };
        format.match_indices(name).any(is_placeholder)
            || arguments.match_indices(name).any(is_argument)
    }
}

/// The fields of the variant or structure that follows an attribute.
fn fields(item: &str) -> Vec<Field> {
    let mut rest = item.trim_start_matches(']').trim_start();
    while let Some(attribute) = rest.strip_prefix('#') {
        rest = enclosed(attribute).map_or("", |(_, after)| after.trim_start());
    }
    if let Some((_, after)) = rest.strip_prefix("pub").and_then(enclosed) {
        rest = after;
    }
    let Some(at) = rest.find(['(', '{', ',', ';', '}']) else { return Vec::new() };
    let Some((inside, _)) = enclosed(&rest[at..]) else { return Vec::new() };
    let is_named = rest[at..].starts_with('{');
    let fields = parts(inside).into_iter().filter(|text| !text.trim().is_empty()).enumerate();
    fields.map(|(place, text)| Field::new(place, text, is_named)).collect()
}

/// What stands between the bracket that the text begins with and its counterpart, and the rest.
fn enclosed(text: &str) -> Option<(&str, &str)> {
    text.starts_with(['(', '[', '{']).then_some(())?;
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => at += literal_len(&text[at..]) - 1,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 1 => return Some((&text[1..at], &text[at + 1..])),
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}

/// The text between commas that stand in no brackets.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let is_end = |c: char| {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    };
    text.split(is_end).collect()
}

/// How long the string literal is that the text begins with; 0 when it begins with none.
fn literal_len(text: &str) -> usize {
    let mut escaped = false;
    let is_end = |(_, c): &(usize, char)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    };
    let Some(inside) = text.strip_prefix('"') else { return 0 };
    inside.char_indices().find(is_end).map_or(text.len(), |(at, _)| at + 2)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(error: &str) -> Vec<String> {
        let text = format!("#[derive(Debug, Error)]\n{error}\n");
        check(&[Source { path: "src/a.rs".to_owned(), text }])
    }

    #[test]
    fn a_message_that_contains_its_source_is_found_however_it_is_written() {
        for error in [
            "#[error(\"cannot (or {source})\")]\npub struct E { at: u8, source: io::Error }",
            "#[error(\"no: {0}\")]\npub(super) struct E(#[source] io::Error);",
            "pub enum E {\n#[error(\"{1:?}\")]\n/// It's so (\nA(Map<u8, u8>, #[from] Faults),\n}",
            "#[error(\"\\\"{}\", .0.kind())]\nstruct E(#[from] io::Error);",
            "#[error(\n\"{}\",\ncause.kind()\n)]\nstruct E { #[source] cause: io::Error }",
        ] {
            let found = findings(error);
            assert_eq!(found.len(), 1, "{error}: {found:?}");
            assert!(found[0].starts_with("src/a.rs:"), "{found:?}");
        }
    }

    #[test]
    fn a_message_of_its_own_is_fine() {
        for error in [
            "#[error(transparent)]\nstruct E(#[from] io::Error);",
            "#[error(\"cannot read {}\", path.display())]\nstruct E { path: P, source: io::Error }",
            "#[error(\"{0} and {source_name}\")]\nA(String, #[source] io::Error),",
            "#[error(\"{0}\")]\nA(String),\n#[error(\"b\")]\nB(#[from] io::Error),",
            "#[error(\"a\")]\nA,\n#[error(\"b\")]\nB { source: io::Error },",
        ] {
            assert_eq!(findings(error), [""; 0], "{error}");
        }
    }
}
