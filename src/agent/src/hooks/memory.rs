//! What is remembered of the hooks, in a file that outlives the agent and not the host's uptime:
//! after a boot a service may be in any state.

use std::io;
use std::path::{Path, PathBuf};

use vipward_observe::hooks::Remembered;

/// The file; without one, each start of the agent finds nothing.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    path: Option<PathBuf>,
    written: Remembered,
}

impl Memory {
    /// The memory at `path`, and what it holds. What cannot be read is as good as nothing.
    pub fn open(path: Option<PathBuf>) -> Self {
        let written = path.as_deref().map(read).unwrap_or_default();
        Self { path, written }
    }

    /// What was last remembered.
    pub fn remembered(&self) -> &Remembered {
        &self.written
    }

    /// Remembers it, if it is news.
    pub fn remember(&mut self, remembered: &Remembered) {
        let Some(path) = self.path.as_deref().filter(|_| *remembered != self.written) else {
            return;
        };
        if let Err(error) = write(path, remembered) {
            tracing::warn!(path = %path.display(), %error, "state of the hooks not remembered");
        }
        self.written.clone_from(remembered);
    }
}

fn read(path: &Path) -> Remembered {
    let parsed = std::fs::read(path).and_then(|text| Ok(serde_json::from_slice(&text)?));
    parsed.unwrap_or_else(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::warn!(path = %path.display(), %error, "state of the hooks not known");
        }
        Remembered::new()
    })
}

/// Written beside and put in place: whoever reads finds the old one or the new one.
fn write(path: &Path, remembered: &Remembered) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec(remembered)?)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vipward_observe::hooks::{Memo, Occasion};

    fn acquired() -> Remembered {
        let memo = Memo { applied: Some(Occasion::Acquire), acquire_failed: true };
        Remembered::from([("web".parse().expect("a name"), memo)])
    }

    #[test]
    fn what_is_remembered_is_known_to_the_next_start_and_garbage_is_nothing() {
        let name = format!("vipward-hooks-{}.json", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut memory = Memory::open(Some(path.clone()));
        assert_eq!(memory.remembered(), &Remembered::new());
        memory.remember(&acquired());
        assert_eq!(Memory::open(Some(path.clone())).remembered(), &acquired());
        std::fs::write(&path, "{").expect("writable");
        assert_eq!(Memory::open(Some(path.clone())).remembered(), &Remembered::new());
        std::fs::remove_file(&path).expect("it is there");
    }

    #[test]
    fn without_a_place_nothing_is_remembered_and_nothing_fails() {
        let mut memory = Memory::open(Some("/nonexistent/hooks.json".into()));
        memory.remember(&acquired());
        Memory::open(None).remember(&Remembered::new());
    }
}
