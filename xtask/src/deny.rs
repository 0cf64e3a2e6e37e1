//! Step `deny`: bans, licences and sources of the dependencies.

use anyhow::Result;

use crate::install::cargo_tool::DENY;
use crate::workspace::{self, Workspace};

/// Its advisory database comes from outside the package registries, so advisories are left to
/// people: `cargo deny check advisories`.
pub fn run(workspace: &Workspace) -> Result<()> {
    workspace::run(
        workspace
            .command(DENY.find(workspace)?)
            .args(["--locked", "check", "--hide-inclusion-graph"])
            .args(["bans", "licenses", "sources"]),
    )
}
