//! How TLS is spoken, and the keys of a `check` table that say so.

use std::path::PathBuf;

use serde::Serialize;
use toml::de::DeValue;

use super::table::{Table, Wrong};
use super::value::{absolute, flag, text};

/// How a service proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tls {
    /// The name that is asked for and that the certificate must bear; without, the node's address.
    pub name: Option<String>,
    /// File with the authorities (PEM) that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether the certificate is looked at; without, anybody's will do.
    pub verify: bool,
}

/// For a protocol that may do without: `tls = true` turns it on.
pub(super) fn optional(table: &Table<'_>) -> Option<Tls> {
    let on = table.optional("tls", flag).unwrap_or(false);
    let name = only_with_tls(table, "host", on, host);
    let tls = tls(table, on, name);
    on.then_some(tls)
}

/// Its keys where `on`, and a fault for each that is there although TLS is not.
pub(super) fn tls(table: &Table<'_>, on: bool, name: Option<String>) -> Tls {
    let ca_file = only_with_tls(table, "ca_file", on, |value| {
        absolute(&text("/etc/vipward/ca.pem")(value)?).map(PathBuf::from)
    });
    let verify = only_with_tls(table, "verify", on, |value| match flag(value)? {
        false if ca_file.is_some() => Err(Wrong::new(
            "false trusts any certificate, whatever ca_file says",
            "remove verify or ca_file",
        )),
        verify => Ok(verify),
    });
    let verify = verify.unwrap_or(true);
    Tls { name, ca_file, verify }
}

fn only_with_tls<'t, T>(
    table: &Table<'t>,
    key: &'static str,
    on: bool,
    read: impl FnOnce(&'t DeValue<'t>) -> Result<T, Wrong>,
) -> Option<T> {
    table.optional(key, |value| {
        if on {
            read(value)
        } else {
            Err(Wrong::new(
                "it needs TLS, which is off",
                "add tls = true (for http: kind = \"https\")",
            ))
        }
    })
}

/// As in a URL, without a port.
pub(super) fn host(value: &DeValue<'_>) -> Result<String, Wrong> {
    let name = text("db.example.com")(value)?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if (1..=253).contains(&name.len()) && name.bytes().all(is_allowed) {
        Ok(name)
    } else {
        Err(Wrong::new(format!("{name:?} is not a host name"), "write it like \"db.example.com\""))
    }
}
