//! From the `check` table of a service to a [`Check`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use super::table::{Table, Wrong, mistyped};
use super::value::{duration, number, text, word};
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
    Some(Check { kind: kind?, port: port?, interval, confirm, timeout, rise, fall })
}

#[derive(Clone, Copy)]
enum Name {
    Tcp,
    Http,
    Redis,
    Mysql,
    Postgres,
    Mongodb,
    Exec,
}

const KINDS: &[(&str, Name)] = &[
    ("tcp", Name::Tcp),
    ("http", Name::Http),
    ("redis", Name::Redis),
    ("mysql", Name::Mysql),
    ("postgres", Name::Postgres),
    ("mongodb", Name::Mongodb),
    ("exec", Name::Exec),
];

/// The keys of that kind alone; `None` when a fault was found that leaves no value.
fn kind(name: Name, table: &Table<'_>) -> Option<CheckKind> {
    Some(match name {
        Name::Tcp => CheckKind::Tcp,
        Name::Http => CheckKind::Http {
            path: table.optional("path", http_path).unwrap_or_else(|| "/".to_owned()),
            status: table.optional("status", number(100..=599)).unwrap_or(200),
        },
        Name::Redis => CheckKind::Redis {
            user: table.optional("user", login_word),
            password_file: password_file(table),
            max_lag: max_lag(table),
        },
        Name::Mysql => {
            let user = table.required("user", "\"vipward\"", login_word);
            let (password_file, max_lag) = (password_file(table), max_lag(table));
            CheckKind::Mysql { user: user?, password_file, max_lag }
        }
        Name::Postgres => {
            let user = table.required("user", "\"vipward\"", login_word);
            let (password_file, max_lag) = (password_file(table), max_lag(table));
            let database = table.optional("database", login_word);
            let database = database.unwrap_or_else(|| "postgres".to_owned());
            CheckKind::Postgres { user: user?, password_file, database, max_lag }
        }
        Name::Mongodb => CheckKind::Mongodb { max_lag: max_lag(table) },
        Name::Exec => {
            let example = "[\"/usr/local/bin/check-service\", \"--quick\"]";
            CheckKind::Exec { command: table.required("command", example, command)? }
        }
    })
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
        Err(Wrong::new(format!("{word:?} is no name"), "write it like \"vipward\""))
    } else {
        Ok(word)
    }
}

/// The agent's working directory is nothing that a file should depend on.
fn absolute(path: &str) -> Result<&str, Wrong> {
    if Path::new(path).is_absolute() && !path.contains('\0') {
        Ok(path)
    } else {
        let what = format!("{path:?} is not an absolute path");
        Err(Wrong::new(what, format!("begin with /, like \"/etc/vipward/{path}\"")))
    }
}

pub(super) fn command(value: &DeValue<'_>) -> Result<Vec<String>, Wrong> {
    const EXAMPLE: &str = "[\"/usr/local/bin/check-service\", \"--quick\"]";
    let DeValue::Array(items) = value else {
        return Err(mistyped(value, "an array of strings", EXAMPLE));
    };
    let word = |value: &DeValue<'_>| match value.as_str() {
        Some(word) if word.contains('\0') => {
            Err(Wrong::new("has a zero byte", format!("write it like {EXAMPLE}")))
        }
        Some(word) => Ok(word.to_owned()),
        None => Err(mistyped(value, "a string in each place", EXAMPLE)),
    };
    let words: Vec<_> = items.iter().map(|item| word(item.get_ref())).collect::<Result<_, _>>()?;
    match words.first() {
        Some(program) if Path::new(program).is_absolute() => Ok(words),
        Some(program) => Err(Wrong::new(
            format!("{program:?} is not an absolute path"),
            format!("name the program by its whole path: {EXAMPLE}"),
        )),
        None => Err(Wrong::new("is empty", format!("write it like {EXAMPLE}"))),
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
