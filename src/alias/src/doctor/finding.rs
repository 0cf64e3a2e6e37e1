//! What the doctor found, and how it says so.

use std::fmt;
use std::path::PathBuf;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Fine,
    /// Good to know.
    Note,
    /// It will hurt a VIP, or does.
    Trouble,
}

/// A file that makes a network manager leave the VIPs alone. It stands beside the manager's own
/// files and changes none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropIn {
    /// Where, from the root of the host.
    pub path: PathBuf,
    /// All of it.
    pub content: String,
    /// What makes it count.
    pub then: &'static str,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub level: Level,
    /// What it is about: a network manager, a setting, a service.
    pub about: String,
    /// What is so.
    pub what: String,
    /// What that does to the VIPs.
    pub effect: Option<String>,
    /// What would be right.
    pub cure: Option<String>,
    /// The file that `--write` writes.
    pub drop_in: Option<DropIn>,
}

impl Finding {
    /// A finding without more.
    pub fn new(level: Level, about: impl Into<String>, what: impl Into<String>) -> Self {
        let (about, what) = (about.into(), what.into());
        Self { level, about, what, effect: None, cure: None, drop_in: None }
    }

    /// As it should be.
    pub fn fine(about: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Level::Fine, about, what)
    }

    /// With what it does to the VIPs.
    #[must_use]
    pub fn effect(mut self, effect: impl Into<String>) -> Self {
        self.effect = Some(effect.into());
        self
    }

    /// With what would be right.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// With the file that would cure it.
    #[must_use]
    pub fn drop_in(mut self, path: impl Into<PathBuf>, content: &str, then: &'static str) -> Self {
        self.drop_in = Some(DropIn { path: path.into(), content: content.to_owned(), then });
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Fine => "fine",
            Level::Note => "note",
            Level::Trouble => "trouble",
        };
        writeln!(out, "{level:<8} {}: {}", self.about, self.what)?;
        if let Some(effect) = &self.effect {
            writeln!(out, "         {effect}")?;
        }
        if let Some(cure) = &self.cure {
            writeln!(out, "         cure: {cure}")?;
        }
        if let Some(DropIn { path, then, .. }) = &self.drop_in {
            writeln!(out, "         cure: --write creates {}; then {then}", path.display())?;
        }
        Ok(())
    }
}
