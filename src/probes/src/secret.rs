//! Passwords, read from their files anew for each probe so that a rotated one works at once.

use std::io;
use std::path::Path;

use tokio::fs::{File, metadata};
use tokio::io::AsyncReadExt;

use crate::Shortfall;
use crate::deadline::Deadline;

/// Longest first line that is read: more is no password file.
const LONGEST: usize = 4096;

/// The first line of the file.
pub(crate) async fn first_line(path: &Path, deadline: &Deadline) -> Result<String, Shortfall> {
    deadline
        .bound(read(path), || format!("no password read from {}", path.display()))
        .await
        .unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late)))
        .map_err(|error| Shortfall::error(format!("password file {}: {error}", path.display())))
}

async fn read(path: &Path) -> io::Result<String> {
    // Opening a FIFO or a device could block a thread for ever.
    if !metadata(path).await?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut text = String::new();
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    File::open(path).await?.take(limit).read_to_string(&mut text).await?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || line.len() == LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its first line is no password"));
    }
    Ok(line.to_owned())
}
