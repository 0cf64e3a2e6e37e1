//! Readers of single values: from TOML to types that cannot be wrong.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use ipnet::Ipv4Net;
use jiff::SignedDuration;
use toml::de::DeValue;

use super::table::{Wrong, cure_for_unknown, mistyped};

/// A string that parses as `T`; `example` is a right one.
pub(super) fn parsed<T>(example: &'static str) -> impl Fn(&DeValue<'_>) -> Result<T, Wrong>
where
    T: FromStr<Err: Display>,
{
    move |value| {
        let text = string(value, example)?;
        text.parse().map_err(|error| {
            let what = format!("{text:?}: {error}");
            Wrong::new(what, format!("write it like \"{example}\""))
        })
    }
}

/// A string as it stands.
pub(super) fn text(example: &'static str) -> impl Fn(&DeValue<'_>) -> Result<String, Wrong> {
    move |value| string(value, example).map(ToOwned::to_owned)
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&DeValue<'_>) -> Result<T, Wrong> {
    move |value| {
        let text = string(value, words[0].0)?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Wrong::new(format!("unknown value {text:?}"), cure_for_unknown(text, &known))
        })
    }
}

/// A whole number within `range`.
pub(super) fn number<T>(range: RangeInclusive<T>) -> impl Fn(&DeValue<'_>) -> Result<T, Wrong>
where
    T: TryFrom<i64> + PartialOrd + Display,
{
    move |value| {
        let bounds = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(digits) = value else {
            let example = value.as_str().map_or_else(|| range.start().to_string(), str::to_owned);
            return Err(mistyped(value, &bounds, &format!("{example}, without quotes")));
        };
        i64::from_str_radix(digits.as_str(), digits.radix())
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                Wrong::new(format!("{} is out of range", digits.as_str()), format!("use {bounds}"))
            })
    }
}

/// `true` or `false`.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, Wrong> {
    value.as_bool().ok_or_else(|| mistyped(value, "true or false", "true"))
}

/// A duration such as `"800ms"`, within `range`.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, Wrong> {
    move |value| {
        let text = string(value, "10s")?;
        duration_from(text, &range)
    }
}

/// A subnet's block as AWS has it: from /16 to /28, and no bit set beyond the prefix.
pub(super) fn subnet(value: &DeValue<'_>) -> Result<Ipv4Net, Wrong> {
    let text = string(value, "172.31.0.0/20")?;
    let wrong = |what: &str, cure: String| Err(Wrong::new(format!("{text:?} {what}"), cure));
    let Ok(net) = text.parse::<Ipv4Net>() else {
        return wrong("is not a CIDR block", "write it like \"172.31.0.0/20\"".to_owned());
    };
    if !(16..=28).contains(&net.prefix_len()) {
        return wrong("is not a subnet that AWS allows", "use a prefix from /16 to /28".to_owned());
    }
    if net.trunc() != net {
        return wrong("has bits set beyond its prefix", format!("write \"{}\"", net.trunc()));
    }
    Ok(net)
}

/// A duration within `range`, from text.
pub(super) fn duration_from(
    text: &str,
    range: &RangeInclusive<Duration>,
) -> Result<Duration, Wrong> {
    let cure =
        || format!("use a duration from {} to {}", shown(*range.start()), shown(*range.end()));
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| Wrong::new(format!("{text:?} is not a duration"), cure()))?;
    if range.contains(&parsed) {
        Ok(parsed)
    } else {
        Err(Wrong::new(format!("{text:?} is out of range"), cure()))
    }
}

/// A duration as people write it.
pub(super) fn shown(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |d| format!("{d:#}"))
}

fn string<'v>(value: &'v DeValue<'_>, example: &str) -> Result<&'v str, Wrong> {
    value.as_str().ok_or_else(|| mistyped(value, "a string", &format!("\"{example}\"")))
}

/// The agent's working directory is nothing that a file should depend on.
pub(super) fn absolute(path: &str) -> Result<&str, Wrong> {
    if Path::new(path).is_absolute() && !path.contains('\0') {
        Ok(path)
    } else {
        let what = format!("{path:?} is not an absolute path");
        Err(Wrong::new(what, format!("begin with /, like \"/etc/vipward/{path}\"")))
    }
}
