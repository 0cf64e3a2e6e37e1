//! Files of this host, read anew for each probe so that a changed one counts at once.

use std::io;
use std::path::Path;

use tokio::fs::{File, metadata};
use tokio::io::AsyncReadExt;

use crate::Shortfall;
use crate::deadline::Deadline;

/// What the file holds, if that is less than `most` bytes; `what` names it in messages. A file that
/// cannot be read says nothing about the service.
pub(crate) async fn read(
    path: &Path,
    what: &str,
    most: u64,
    deadline: &Deadline,
) -> Result<Vec<u8>, Shortfall> {
    let missing = || format!("no {what} read from {}", path.display());
    let read = deadline.bound(content(path, most), missing).await;
    read.unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late)))
        .map_err(|error| unfit(path, what, &error))
}

/// The file does not hold what it should.
pub(crate) fn unfit(path: &Path, what: &str, why: &dyn std::fmt::Display) -> Shortfall {
    Shortfall::error(format!("{what} file {}: {why}", path.display()))
}

async fn content(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Opening a FIFO or a device could block a thread for ever.
    if !metadata(path).await?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).await?.take(most).read_to_end(&mut bytes).await?;
    if u64::try_from(read).unwrap_or(u64::MAX) == most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too long"));
    }
    Ok(bytes)
}
