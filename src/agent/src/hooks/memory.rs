//! What was last carried out, in a file that outlives the agent and not the host's uptime: after a
//! boot a service may be in any state.

use std::io;
use std::path::{Path, PathBuf};

use vipward_observe::hooks::Applied;

/// The file; without one, each start of the agent finds nothing.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    path: Option<PathBuf>,
    written: Applied,
}

impl Memory {
    /// The memory at `path`, and what it holds. What cannot be read is as good as nothing.
    pub fn open(path: Option<PathBuf>) -> Self {
        let written = path.as_deref().map(read).unwrap_or_default();
        Self { path, written }
    }

    /// What was last remembered.
    pub fn applied(&self) -> &Applied {
        &self.written
    }

    /// Remembers it, if it is news.
    pub fn remember(&mut self, applied: &Applied) {
        let Some(path) = self.path.as_deref().filter(|_| *applied != self.written) else { return };
        if let Err(error) = write(path, applied) {
            tracing::warn!(path = %path.display(), %error, "state of the hooks not remembered");
        }
        self.written.clone_from(applied);
    }
}

fn read(path: &Path) -> Applied {
    let parsed = std::fs::read(path).and_then(|text| Ok(serde_json::from_slice(&text)?));
    parsed.unwrap_or_else(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::warn!(path = %path.display(), %error, "state of the hooks not known");
        }
        Applied::new()
    })
}

/// Written beside and put in place: whoever reads finds the old one or the new one.
fn write(path: &Path, applied: &Applied) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec(applied)?)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vipward_observe::hooks::Occasion;

    #[test]
    fn what_is_remembered_is_known_to_the_next_start_and_garbage_is_nothing() {
        let name = format!("vipward-hooks-{}.json", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut memory = Memory::open(Some(path.clone()));
        assert_eq!(memory.applied(), &Applied::new());
        let applied = Applied::from([("web".parse().expect("a name"), Occasion::Acquire)]);
        memory.remember(&applied);
        assert_eq!(Memory::open(Some(path.clone())).applied(), &applied);
        std::fs::write(&path, "{").expect("writable");
        assert_eq!(Memory::open(Some(path.clone())).applied(), &Applied::new());
        std::fs::remove_file(&path).expect("it is there");
    }

    #[test]
    fn without_a_place_nothing_is_remembered_and_nothing_fails() {
        let mut memory = Memory::open(Some("/nonexistent/hooks.json".into()));
        memory.remember(&Applied::from([("web".parse().expect("a name"), Occasion::Acquire)]));
        Memory::open(None).remember(&Applied::new());
    }
}
