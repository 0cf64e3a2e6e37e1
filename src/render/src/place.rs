//! Where the configuration lies, seen from the template: the template names it for the layer.

use std::io;
use std::path::{Component, Path, PathBuf};

/// Why it could not be told where the configuration lies.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A directory is not there, or may not be looked into.
    #[error("cannot find the directory {}", path.display())]
    Lost {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A name that a template cannot hold.
    #[error("the name of {} is not UTF-8", .0.display())]
    NotText(PathBuf),
}

/// The configuration's directory and file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Relative to the template's directory, with `/` between its parts.
    pub directory: String,
    /// The name in that directory, and in the layer.
    pub file_name: String,
}

impl Place {
    /// The place of `file` seen from `template_dir`, with symbolic links resolved.
    ///
    /// # Errors
    /// A directory that cannot be found, or a name that is not UTF-8.
    pub fn seen_from(template_dir: &Path, file: &Path) -> Result<Self, PlaceError> {
        let directory = resolved(parent(file))?;
        let relative = relative(&resolved(template_dir)?, &directory);
        Self::in_directory(&relative, file)
    }

    /// The place of `file` in a directory that the caller names.
    ///
    /// # Errors
    /// A name that is not UTF-8.
    pub fn in_directory(directory: &Path, file: &Path) -> Result<Self, PlaceError> {
        let not_text = || PlaceError::NotText(file.to_owned());
        let name = file.file_name().and_then(|name| name.to_str());
        Ok(Self {
            directory: directory.to_str().ok_or_else(not_text)?.to_owned(),
            file_name: name.ok_or_else(not_text)?.to_owned(),
        })
    }
}

/// The directory that a file lies in; `.` for a mere name.
pub fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn resolved(path: &Path) -> Result<PathBuf, PlaceError> {
    path.canonicalize().map_err(|source| PlaceError::Lost { path: path.to_owned(), source })
}

/// The way from one resolved directory to another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to.components().skip(shared)).collect();
    if way.as_os_str().is_empty() { PathBuf::from(".") } else { way }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_between_directories() {
        for (from, to, way) in [
            ("/repo", "/repo/infra/example", "infra/example"),
            ("/repo/infra", "/repo", ".."),
            ("/repo/a", "/repo/b/c", "../b/c"),
            ("/repo", "/repo", "."),
            ("/repo/ab", "/repo/abc", "../abc"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(way));
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = Place::seen_from(Path::new("/nowhere/at/all"), Path::new("vipward.toml"))
            .expect_err("it is not there");
        assert_eq!(error.to_string(), "cannot find the directory /nowhere/at/all");
    }

    #[test]
    fn a_mere_name_lies_in_the_current_directory() {
        assert_eq!(parent(Path::new("vipward.toml")), Path::new("."));
        assert_eq!(parent(Path::new("a/vipward.toml")), Path::new("a"));
    }
}
