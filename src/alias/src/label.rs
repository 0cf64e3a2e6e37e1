//! Labels of aliases, `ens5:1`, by which `ifconfig` and people know them.

use std::fmt;

/// IFNAMSIZ is 16 and counts the closing NUL.
const MAX_BYTES: usize = 15;

/// A label that the kernel accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// `<interface>:<number>`, or `None` where that is too long: the kernel would refuse the
    /// address.
    pub fn new(interface: &str, number: usize) -> Option<Self> {
        let text = format!("{interface}:{number}");
        (text.len() <= MAX_BYTES).then_some(Self(text))
    }

    /// As the kernel stores it, without the NUL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_at_most_fifteen_bytes() {
        let table = [
            ("ens5", 1, Some("ens5:1")),
            ("enp0s31f6abcd", 9, Some("enp0s31f6abcd:9")),
            ("enp0s31f6abcd", 10, None),
            ("enp0s31f6abcdef", 1, None),
        ];
        for (interface, number, want) in table {
            let label = Label::new(interface, number);
            assert_eq!(label.as_ref().map(Label::as_str), want, "{interface} {number}");
        }
    }
}
