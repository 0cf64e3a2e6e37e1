//! From the `check` table of a service to a [`Check`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use super::encryption;
use super::table::{Table, Wrong, mistyped};
use super::value::{absolute, duration, number, text, word};
use super::{Check, CheckKind};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const LONGEST_LAG: Duration = Duration::from_hours(24);

/// The whole table.
pub(super) fn check(table: &Table<'_>) -> Option<Check> {
    let interval =
        table.optional("interval", duration(100 * MILLISECOND..=MINUTE)).unwrap_or(SECOND);
    let confirm =
        table.optional("confirm", duration(50 * MILLISECOND..=MINUTE)).unwrap_or(100 * MILLISECOND);
    let timeout = table
        .optional("timeout", duration(10 * MILLISECOND..=10 * SECOND))
        .unwrap_or(800 * MILLISECOND);
    let rise = table.optional("rise", number(1..=20)).unwrap_or(3);
    let fall = table.optional("fall", number(1..=20)).unwrap_or(2);
    let name = table.required("kind", "\"tcp\"", word(KINDS));
    let port = if let Some(Name::Exec) = name {
        Some(table.optional("port", number(1..=u16::MAX)))
    } else {
        table.required("port", "6379", number(1..=u16::MAX)).map(Some)
    };
    let kind = name.and_then(|name| kind(name, table));
    table.finish();
    let (kind, port) = (kind?, port?);
    // Until the policy says better.
    let connect_timeout = timeout;
    Some(Check { kind, port, interval, confirm, timeout, connect_timeout, rise, fall })
}

#[derive(Clone, Copy)]
enum Name {
    Tcp,
    Http,
    Https,
    Redis,
    Mysql,
    Postgres,
    Mongodb,
    Exec,
    Systemd,
}

const KINDS: &[(&str, Name)] = &[
    ("tcp", Name::Tcp),
    ("http", Name::Http),
    ("https", Name::Https),
    ("redis", Name::Redis),
    ("mysql", Name::Mysql),
    ("postgres", Name::Postgres),
    ("mongodb", Name::Mongodb),
    ("exec", Name::Exec),
    ("systemd", Name::Systemd),
];

/// The keys of that kind alone; `None` when a fault was found that leaves no value.
fn kind(name: Name, table: &Table<'_>) -> Option<CheckKind> {
    Some(match name {
        Name::Tcp => CheckKind::Tcp,
        Name::Http => http(table, false),
        Name::Https => http(table, true),
        Name::Redis => CheckKind::Redis {
            user: table.optional("user", login_word),
            password_file: password_file(table),
            max_lag: max_lag(table),
            tls: encryption::optional(table),
        },
        Name::Mysql => {
            let user = table.required("user", "\"vipward\"", login_word);
            let (password_file, max_lag) = (password_file(table), max_lag(table));
            let tls = encryption::optional(table);
            CheckKind::Mysql { user: user?, password_file, max_lag, tls }
        }
        Name::Postgres => {
            let user = table.required("user", "\"vipward\"", login_word);
            let (password_file, max_lag) = (password_file(table), max_lag(table));
            let database = table.optional("database", login_word);
            let database = database.unwrap_or_else(|| "postgres".to_owned());
            let tls = encryption::optional(table);
            CheckKind::Postgres { user: user?, password_file, database, max_lag, tls }
        }
        Name::Mongodb => {
            CheckKind::Mongodb { max_lag: max_lag(table), tls: encryption::optional(table) }
        }
        Name::Exec => {
            let example = "[\"/usr/local/bin/check-service\", \"--quick\"]";
            let command = table.required("command", example, command);
            let user = table.optional("user", login_word);
            CheckKind::Exec { command: command?, user }
        }
        Name::Systemd => {
            CheckKind::Systemd { unit: table.required("unit", "\"nginx.service\"", unit)? }
        }
    })
}

fn http(table: &Table<'_>, encrypted: bool) -> CheckKind {
    let host = table.optional("host", encryption::host);
    let tls = encryption::tls(table, encrypted, host.clone());
    CheckKind::Http {
        path: table.optional("path", http_path).unwrap_or_else(|| "/".to_owned()),
        status: table.optional("status", number(100..=599)).unwrap_or(200),
        body: table.optional("body", pattern),
        host,
        tls: encrypted.then_some(tls),
    }
}

fn pattern(value: &DeValue<'_>) -> Result<String, Wrong> {
    let pattern = text("ok|ready")(value)?;
    match regex_lite::Regex::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(error) => Err(Wrong::new(
            format!("{pattern:?} is not a regular expression: {error}"),
            "write it like \"ok|ready\", in single quotes where it has backslashes",
        )),
    }
}

/// systemd's own rule: letters, digits and a few signs, and a suffix that says what it is.
pub(super) fn is_unit(unit: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let whole =
        unit.split_once('.').is_some_and(|(name, suffix)| !name.is_empty() && !suffix.is_empty());
    whole && unit.len() < 256 && unit.bytes().all(is_allowed)
}

fn unit(value: &DeValue<'_>) -> Result<String, Wrong> {
    let unit = text("nginx.service")(value)?;
    if is_unit(&unit) {
        Ok(unit)
    } else {
        Err(Wrong::new(format!("{unit:?} is not a unit"), "write it like \"nginx.service\""))
    }
}

fn password_file(table: &Table<'_>) -> Option<PathBuf> {
    table.optional("password_file", |value| {
        absolute(&text("/etc/vipward/service.pw")(value)?).map(PathBuf::from)
    })
}

fn max_lag(table: &Table<'_>) -> Option<Duration> {
    table.optional("max_lag", duration(SECOND..=LONGEST_LAG))
}

/// A user or a database. Protocols end such words with a zero byte.
pub(super) fn login_word(value: &DeValue<'_>) -> Result<String, Wrong> {
    let word = text("vipward")(value)?;
    if word.is_empty() || word.chars().any(char::is_control) {
        Err(Wrong::new(format!("{word:?} is not a name"), "write it like \"vipward\""))
    } else {
        Ok(word)
    }
}

pub(super) fn command(value: &DeValue<'_>) -> Result<Vec<String>, Wrong> {
    const EXAMPLE: &str = "[\"/usr/local/bin/check-service\", \"--quick\"]";
    let DeValue::Array(items) = value else {
        return Err(mistyped(value, "an array of strings", EXAMPLE));
    };
    let word = |value: &DeValue<'_>| match value.as_str() {
        Some(word) if word.contains('\0') => {
            Err(Wrong::new("it contains a zero byte", format!("write it like {EXAMPLE}")))
        }
        Some(word) => Ok(word.to_owned()),
        None => Err(mistyped(value, "strings only", EXAMPLE)),
    };
    let words: Vec<_> = items.iter().map(|item| word(item.get_ref())).collect::<Result<_, _>>()?;
    match words.first() {
        Some(program) if Path::new(program).is_absolute() => Ok(words),
        Some(program) => Err(Wrong::new(
            format!("{program:?} is not an absolute path"),
            format!("name the program by its full path: {EXAMPLE}"),
        )),
        None => Err(Wrong::new("it is empty", format!("write it like {EXAMPLE}"))),
    }
}

fn http_path(value: &DeValue<'_>) -> Result<String, Wrong> {
    let path = text("/health")(value)?;
    if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(path)
    } else {
        Err(Wrong::new(format!("{path:?} is not a path"), "write it like \"/health\""))
    }
}
