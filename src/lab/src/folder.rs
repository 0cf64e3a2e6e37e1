//! Temporary folders: one for a lab, in it one for each cluster's files and its log.

use std::path::{Path, PathBuf};

use crate::clock;

#[derive(Debug, thiserror::Error)]
#[error("cannot make a folder {path}")]
pub struct FolderError {
    path: PathBuf,
    source: std::io::Error,
}

/// A folder that goes when it is dropped, unless it is to be kept.
#[derive(Debug)]
pub struct Folder {
    pub path: PathBuf,
    kept: bool,
}

impl Folder {
    /// A new folder among the system's temporary ones, named by the time.
    pub fn create() -> Result<Self, FolderError> {
        let name = format!("vipward-lab-{}", clock::now().as_nanosecond());
        Self::create_in(&std::env::temp_dir(), &name)
    }

    pub fn create_in(parent: &Path, name: &str) -> Result<Self, FolderError> {
        let path = parent.join(name);
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self { path, kept: false }),
            Err(source) => Err(FolderError { path, source }),
        }
    }

    pub fn keep(&mut self, keep: bool) {
        self.kept = keep;
    }

    pub fn is_kept(&self) -> bool {
        self.kept
    }

    pub fn keep_what_is_left(&mut self) {
        self.kept = std::fs::read_dir(&self.path).is_ok_and(|mut left| left.next().is_some());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed lies in the system's temporary folder, where it may.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stays_only_with_something_in_it_that_was_kept() {
        for kept in [false, true] {
            let mut whole = Folder::create().expect("the temporary folder is writable");
            let mut part = Folder::create_in(&whole.path, "part").expect("is new");
            part.keep(kept);
            drop(part);
            whole.keep_what_is_left();
            let path = whole.path.clone();
            drop(whole);
            assert_eq!(path.exists(), kept);
            if kept {
                std::fs::remove_dir_all(path).expect("is ours");
            }
        }
    }
}
