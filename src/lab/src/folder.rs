//! A temporary folder for a cluster's files and its log.

use std::path::PathBuf;

use crate::clock;

/// The folder could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a folder {path}")]
pub struct FolderError {
    path: PathBuf,
    source: std::io::Error,
}

/// A folder that goes when it is dropped, unless it is to be kept.
#[derive(Debug)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    kept: bool,
}

impl Folder {
    /// A new folder, named by the time: process numbers are all alike inside namespaces.
    pub fn create() -> Result<Self, FolderError> {
        let name = format!("vipward-lab-{}", clock::now().as_nanosecond());
        let path = std::env::temp_dir().join(name);
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self { path, kept: false }),
            Err(source) => Err(FolderError { path, source }),
        }
    }

    /// Whether it stays.
    pub fn keep(&mut self, keep: bool) {
        self.kept = keep;
    }

    /// Whether it stays.
    pub fn is_kept(&self) -> bool {
        self.kept
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
