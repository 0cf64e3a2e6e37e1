//! What one value of an event may have to be.

use serde_json::Value;

/// One way for a scalar to match.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// It is this value. Numbers match by how they are written: 300 is not 300.0.
    Exactly(Value),
    /// It is a text with this beginning.
    Prefix(Text),
    /// It is a text with this end.
    Suffix(Text),
    /// It is this text, whatever the case.
    IgnoringCase(String),
    /// It is a text of this form.
    Wildcard(Vec<Glob>),
    /// It is a number within all of these bounds.
    Numeric(Vec<(Bound, f64)>),
    /// None of these takes it.
    AnythingBut(Vec<Matcher>),
    /// It is there. Answered where the values are collected.
    Present,
    /// It is not there; answered in the same place.
    Absent,
}

/// A text to compare with, exactly or whatever the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text; in lower case where case does not matter.
    pub text: String,
    /// Whether case matters.
    pub exact: bool,
}

impl Text {
    fn compares(&self, value: &str, compare: fn(&str, &str) -> bool) -> bool {
        if self.exact {
            compare(value, &self.text)
        } else {
            compare(&value.to_lowercase(), &self.text)
        }
    }
}

/// One step of a wildcard form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glob {
    /// This character.
    Is(char),
    /// Any characters, or none.
    Any,
}

/// One side of a numeric range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `=`
    Equal,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Bound {
    #[expect(clippy::float_cmp, reason = "`=` means equality")]
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Equal => value == limit,
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
        }
    }
}

impl Matcher {
    /// Whether it takes a scalar.
    pub fn takes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Exactly(wanted), value) => wanted == value,
            (Self::AnythingBut(refused), value) => {
                !refused.iter().any(|matcher| matcher.takes(value))
            }
            (Self::Numeric(bounds), Value::Number(number)) => {
                number.as_f64().is_some_and(|value| {
                    bounds.iter().all(|(bound, limit)| bound.holds(value, *limit))
                })
            }
            (Self::Prefix(text), Value::String(value)) => {
                text.compares(value, |v, t| v.starts_with(t))
            }
            (Self::Suffix(text), Value::String(value)) => {
                text.compares(value, |v, t| v.ends_with(t))
            }
            (Self::IgnoringCase(text), Value::String(value)) => value.to_lowercase() == *text,
            (Self::Wildcard(form), Value::String(value)) => glob(form, value),
            _ => false,
        }
    }
}

/// Whether a text has a form, in time proportional to their product: the set of steps that could
/// come next is carried along the text.
fn glob(form: &[Glob], text: &str) -> bool {
    let mut open = vec![false; form.len() + 1];
    open[0] = true;
    skip_any(form, &mut open);
    for character in text.chars() {
        let mut next = vec![false; form.len() + 1];
        for (index, step) in form.iter().enumerate().filter(|(index, _)| open[*index]) {
            match step {
                Glob::Any => next[index] = true,
                Glob::Is(wanted) if *wanted == character => next[index + 1] = true,
                Glob::Is(_) => {}
            }
        }
        skip_any(form, &mut next);
        open = next;
    }
    open[form.len()]
}

/// Opens what follows each open `*`, since it may stand for nothing.
fn skip_any(form: &[Glob], open: &mut [bool]) {
    for (index, step) in form.iter().enumerate() {
        if open[index] && *step == Glob::Any {
            open[index + 1] = true;
        }
    }
}
