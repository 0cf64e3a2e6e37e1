//! The files of a host, below `/` or a directory that stands for it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// A file tree.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Everything below `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where a path of the host is really.
    pub fn place(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether there is something, be it a link that leads nowhere here.
    pub fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.place(Path::new(path))).is_ok()
    }

    /// A file's text; `None` where there is none that can be read.
    pub fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.place(path.as_ref())).ok()
    }

    /// The files of a directory with one of these endings, by their whole path on the host, sorted.
    pub fn list(&self, directory: &str, endings: &[&str]) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.place(Path::new(directory)));
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let ends = |name: &str| endings.iter().any(|ending| name.ends_with(ending));
        let mut paths: Vec<PathBuf> = names
            .filter(|name| name.to_str().is_some_and(ends))
            .map(|name| Path::new(directory).join(name))
            .collect();
        paths.sort();
        paths
    }

    /// The drop-ins of `name` in the directories of systemd, in the order in which they count: by
    /// file name, of equal names the one nearest to `/etc`.
    pub fn drop_ins(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        let mut by_name = std::collections::BTreeMap::new();
        for place in ["/usr/lib/systemd", "/run/systemd", "/etc/systemd"] {
            for path in self.list(&format!("{place}/{kind}/{name}.d"), &[".conf"]) {
                by_name.insert(path.file_name().map(ToOwned::to_owned), path);
            }
        }
        by_name.into_values().collect()
    }
}

/// Whether a text has exactly this address in it, not one that only begins or ends like it.
pub fn names(text: &str, address: Ipv4Addr) -> bool {
    let wanted = address.to_string();
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    words.map(|word| word.trim_end_matches('.')).any(|word| word == wanted)
}

/// The last value of a key in INI files, read one after the other; comments do not count.
pub fn last_value<'t>(texts: impl IntoIterator<Item = &'t String>, key: &str) -> Option<String> {
    let lines = texts.into_iter().flat_map(|text| text.lines());
    let values = lines.filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches('"').to_owned())
    });
    values.last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_as_a_whole() {
        let vip = Ipv4Addr::new(10, 0, 0, 1);
        for text in ["10.0.0.1", "- 10.0.0.1/20", "\"10.0.0.1\",", "At 10.0.0.1. Yes"] {
            assert!(names(text, vip), "{text}");
        }
        for text in ["10.0.0.11", "110.0.0.1", "10.0.0.1.1", "", "10.0.0"] {
            assert!(!names(text, vip), "{text}");
        }
    }

    #[test]
    fn the_last_value_counts() {
        let texts = ["[A]\nKey = no\n#Key=maybe", "Key=\"yes\"\nOther=no"].map(String::from);
        assert_eq!(last_value(&texts, "Key").as_deref(), Some("yes"));
        assert_eq!(last_value(&texts[..1], "Key").as_deref(), Some("no"));
        assert_eq!(last_value(&texts, "None"), None);
    }
}
