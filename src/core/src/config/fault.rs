//! Faults of a configuration file: all of them, each with its place and its cure.

use std::fmt;
use std::io;
use std::path::Path;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// 1-based line; `None` when the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub cure: String,
}

/// Everything that is wrong with one file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    origin: String,
    faults: Vec<Fault>,
}

impl Faults {
    pub(super) fn new(origin: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.line);
        Self { origin: origin.to_owned(), faults }
    }

    /// The file could not be read at all.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let cure = match error.kind() {
            io::ErrorKind::NotFound => "correct the path, or create the file",
            io::ErrorKind::PermissionDenied => "let the user who runs vipward read it",
            io::ErrorKind::InvalidData => "save it as UTF-8",
            _ => "check the path and the disk",
        };
        let fault =
            Fault { line: None, what: format!("cannot be read: {error}"), cure: cure.to_owned() };
        Self::new(&path.display().to_string(), vec![fault])
    }

    /// A fault that only the host can tell, such as a node that is not this one.
    pub fn of_host(origin: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(origin, vec![Fault { line: None, what: what.into(), cure: cure.into() }])
    }

    /// The faults, in the order of their lines.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.origin)?;
            if let Some(line) = fault.line {
                write!(f, "{line}:")?;
            }
            write!(f, " {}\n  cure: {}", fault.what, fault.cure)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
