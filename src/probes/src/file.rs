//! Files of this host, read anew for each probe so that a changed one counts at once.

use std::fs::{File, metadata};
use std::io::{self, Read as _};
use std::path::Path;

use tokio::task::spawn_blocking;

use crate::ProbeFailure;
use crate::deadline::Deadline;

/// What the file holds, if that is less than `most` bytes; `what` names it in messages. A file that
/// cannot be read says nothing about the service.
pub(crate) async fn read(
    path: &Path,
    what: &str,
    most: u64,
    deadline: &Deadline,
) -> Result<Vec<u8>, ProbeFailure> {
    let missing = || format!("no {what} read from {}", path.display());
    let place = path.to_owned();
    // In one go: each step that `tokio::fs` takes wakes a thread, which costs more than the probe.
    let reading = spawn_blocking(move || content(&place, most));
    let read = deadline.bound(reading, missing).await;
    let read = read.map_err(|late| unfit(path, what, &late))?;
    let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
    read.map_err(|error| unfit(path, what, &error))
}

/// The file does not hold what it should.
pub(crate) fn unfit(path: &Path, what: &str, cause: &dyn std::fmt::Display) -> ProbeFailure {
    ProbeFailure::inconclusive(format!("{what} file {}: {cause}", path.display()))
}

fn content(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Opening a FIFO or a device could block the thread for ever.
    if !metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(most).read_to_end(&mut bytes)?;
    if u64::try_from(read).unwrap_or(u64::MAX) == most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too long"));
    }
    Ok(bytes)
}
