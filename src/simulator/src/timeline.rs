//! What happened, line by line, for people.

use std::time::Duration;

/// The lines, if somebody wants them.
#[derive(Debug, Default)]
pub struct Timeline {
    lines: Option<Vec<String>>,
}

impl Timeline {
    /// One that is kept, or one that is not.
    pub fn new(kept: bool) -> Self {
        Self { lines: kept.then(Vec::new) }
    }

    /// Tells what happened then.
    pub fn tell(&mut self, at: Duration, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let (minutes, seconds) = (at.as_secs() / 60, at.as_secs() % 60);
            let millis = at.subsec_millis();
            lines.push(format!("{minutes:4}:{seconds:02}.{millis:03}  {}", what()));
        }
    }

    /// All lines so far.
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
