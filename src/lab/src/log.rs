//! The merged log: every record of every part, in memory to wait on and in a file to read later.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock;
use crate::record::Record;

/// A handle on the merged log of one cluster.
#[derive(Debug, Clone)]
pub struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    state: Mutex<State>,
    grown: watch::Sender<usize>,
}

#[derive(Debug)]
struct State {
    records: Vec<Record>,
    file: File,
}

impl Log {
    /// An empty log that also writes JSON lines to `path`.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            state: Mutex::new(State { records: Vec::new(), file }),
            grown: watch::Sender::new(0),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at worst a record less: what is there stays worth reading.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Adds a record. A disk that is full costs the file a line, not the lab its run.
    pub fn push(&self, record: Record) {
        let mut state = self.state();
        if let Ok(mut line) = serde_json::to_vec(&record) {
            line.push(b'\n');
            let _ = state.file.write_all(&line);
        }
        state.records.push(record);
        self.0.grown.send_replace(state.records.len());
    }

    /// Adds a record of the lab's own doing.
    pub fn note(&self, what: &str, fields: Value) {
        self.push(Record::of_lab(clock::now(), what, fields));
    }

    /// How many records there are: a mark to look from later.
    pub fn mark(&self) -> usize {
        self.state().records.len()
    }

    /// Looks at all records, in order of arrival.
    pub fn read<T>(&self, look: impl FnOnce(&[Record]) -> T) -> T {
        look(&self.state().records)
    }

    pub fn sorted(&self) -> Vec<Record> {
        let mut records = self.read(<[Record]>::to_vec);
        records.sort_by_key(|record| record.at);
        records
    }

    /// Waits until `look` sees what it wants, or the deadline passes.
    pub async fn wait<T>(
        &self,
        deadline: Instant,
        mut look: impl FnMut(&[Record]) -> Option<T>,
    ) -> Option<T> {
        let mut grown = self.0.grown.subscribe();
        loop {
            grown.mark_unchanged();
            if let Some(seen) = self.read(&mut look) {
                return Some(seen);
            }
            let grew = tokio::time::timeout_at(deadline, grown.changed()).await;
            if grew.is_err() {
                return self.read(look);
            }
        }
    }

    /// Waits for more records than `mark`, and copies those from there on.
    pub async fn after(&self, mark: usize) -> Vec<Record> {
        let mut grown = self.0.grown.subscribe();
        // The sender lives in `self`: it cannot be gone.
        let _ = grown.wait_for(|length| *length > mark).await;
        self.read(|records| records.get(mark..).unwrap_or_default().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn log(name: &str) -> Log {
        let path =
            std::env::temp_dir().join(format!("vipward-{name}-{}.jsonl", std::process::id()));
        Log::create(&path).expect("the temporary folder is writable")
    }

    #[tokio::test]
    async fn a_wait_sees_what_comes_later_and_what_came_before() {
        let log = log("log-wait");
        let far = Instant::now() + Duration::from_mins(1);
        let sees = |records: &[Record]| records.iter().any(|r| r.what == "b").then_some(());
        let waiting = tokio::spawn({
            let log = log.clone();
            async move { log.wait(far, sees).await }
        });
        log.note("a", json!({}));
        log.note("b", json!({}));
        assert_eq!(waiting.await.expect("ends"), Some(()));
        assert_eq!(log.wait(Instant::now(), sees).await, Some(()));
        assert_eq!(log.after(1).await.len(), 1);
        let written = std::fs::read_to_string(log.path()).expect("is there");
        assert_eq!(written.lines().count(), 2);
        std::fs::remove_file(log.path()).expect("is ours");
    }

    #[tokio::test]
    async fn a_wait_gives_up_at_its_deadline() {
        let log = log("log-deadline");
        let seen: Option<()> = log.wait(Instant::now(), |_| None).await;
        assert_eq!(seen, None);
        std::fs::remove_file(log.path()).expect("is ours");
    }
}
