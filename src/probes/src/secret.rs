//! Passwords, each the first line of a file.

use std::path::Path;

use crate::ProbeFailure;
use crate::deadline::Deadline;
use crate::file;

/// No password file is as long.
const LONGEST: u64 = 4096;

/// The first line of the file.
pub(crate) async fn first_line(path: &Path, deadline: &Deadline) -> Result<String, ProbeFailure> {
    let text = file::read(path, "password", LONGEST, deadline).await?;
    let text = String::from_utf8(text).map_err(|_| file::unfit(path, "password", &"not UTF-8"))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(file::unfit(path, "password", &"its first line is not a password")),
    }
}
