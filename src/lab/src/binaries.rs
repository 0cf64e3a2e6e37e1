//! The project's binaries that the lab runs, found beside its own.

use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct Binaries {
    /// `vipward-lab` itself: its service and its client.
    pub lab: PathBuf,
    pub region: PathBuf,
    pub agent: PathBuf,
    pub alias: PathBuf,
    /// `vipward`, which renders the template.
    pub vipward: PathBuf,
    /// The function.
    pub bootstrap: PathBuf,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} lacks {}", .folder.display(), .missing.join(", "))]
pub struct NotBuilt {
    missing: Vec<&'static str>,
    folder: PathBuf,
}

impl Binaries {
    pub fn find(folder: &Path) -> Result<Self, NotBuilt> {
        let mut missing = Vec::new();
        let mut path = |name: &'static str| {
            let path = folder.join(name);
            if !path.is_file() {
                missing.push(name);
            }
            path
        };
        let binaries = Self {
            lab: path("vipward-lab"),
            region: path("vipward-region"),
            agent: path("vipward-agent"),
            alias: path("vipward-alias"),
            vipward: path("vipward"),
            bootstrap: path("bootstrap"),
        };
        if missing.is_empty() {
            Ok(binaries)
        } else {
            Err(NotBuilt { missing, folder: folder.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_named_at_once() {
        let error = Binaries::find(Path::new("/nonexistent")).expect_err("nothing is there");
        assert_eq!(error.missing.len(), 6);
        assert!(error.to_string().starts_with("/nonexistent lacks vipward-lab, "), "{error}");
    }
}
