//! How programs end: the exit codes, and the words that help explains them with.

use std::process::ExitCode;

/// How a program ends; a code means the same in all programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// It did what it was asked, and found nothing wrong.
    #[default]
    Fine = 0,
    /// It could not do what it was asked.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong, or another file that says what to do.
    BadConfiguration = 3,
    /// It did what it was asked, and found something wrong.
    Degraded = 4,
    /// The function refused an order that would not be safe.
    Refused = 5,
}

impl Exit {
    const ALL: [Self; 6] = [
        Self::Fine,
        Self::Failed,
        Self::Usage,
        Self::BadConfiguration,
        Self::Degraded,
        Self::Refused,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::BadConfiguration => "bad configuration",
            Self::Degraded => "degraded",
            Self::Refused => "refused for safety",
        }
    }

    /// The help of a program that ends in any way up to this one.
    pub fn help_up_to_this(self) -> String {
        let codes = Self::ALL.into_iter().filter(|exit| *exit <= self);
        let codes = codes.map(|exit| format!("{} {}", exit.code(), exit.meaning()));
        format!("Exit codes: {}.", codes.collect::<Vec<_>>().join(", "))
    }

    /// The help of a command that ends in this way when something is so.
    pub fn when(self, something: &str) -> String {
        format!("Exits with {} when {something}.", self.code())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_explains_the_codes_of_a_program() {
        assert_eq!(
            Exit::Refused.help_up_to_this(),
            "Exit codes: 0 fine, 1 failed, 2 usage, 3 bad configuration, 4 degraded, \
             5 refused for safety."
        );
        assert_eq!(
            Exit::BadConfiguration.help_up_to_this(),
            "Exit codes: 0 fine, 1 failed, 2 usage, 3 bad configuration."
        );
        assert_eq!(Exit::Degraded.when("it is ill"), "Exits with 4 when it is ill.");
    }
}
