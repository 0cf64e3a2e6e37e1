//! Step `guards`: the architecture as checks of a second or two.

mod circles;
mod errors;
mod forbidden;
mod graph;
mod imports;
mod retired;
mod text;

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::report::say;
use crate::workspace::{self, Workspace};
use graph::Graph;
use text::Source;

/// Checks imports and texts; prints every finding before it fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    let mut findings = imports::check(&Graph::read(workspace)?);
    let sources = sources(workspace)?;
    findings.extend(text::check(&sources));
    findings.extend(circles::check(&sources));
    findings.extend(retired::check(&sources));
    findings.extend(errors::check(&sources));
    for finding in &findings {
        say(format_args!("  {finding}"));
    }
    ensure!(findings.is_empty(), "{} finding(s)", findings.len());
    say(format_args!("imports and {} files are as they should be", sources.len()));
    Ok(())
}

/// Every text file that git tracks or would track.
fn sources(workspace: &Workspace) -> Result<Vec<Source>> {
    let list = workspace::output(workspace.command("git").args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))
    .context("the guards read what git tracks")?;
    let mut sources = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let file = workspace.root.join(path);
        // Tracked, but deleted in the work tree: nothing to read.
        if !file.is_file() {
            continue;
        }
        let bytes = fs::read(&file).with_context(|| format!("cannot read {path}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path: path.to_owned(), text });
        }
    }
    Ok(sources)
}
