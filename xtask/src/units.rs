//! Step `units`: systemd's own judgement of the units in `infra/systemd`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::workspace::{self, Workspace};

/// Where the packages put the programs.
const INSTALLED: &str = "/usr/bin/vipward";

/// The most that `systemd-analyze security` may find exposed, in tenths: it goes up to 100.
const MOST_EXPOSED: &str = "--threshold=20";

/// Units of programs that run all the time, or as a service stops.
const HARDENED: [&str; 3] =
    ["vipward-agent.service", "vipward-alias.service", "vipward-leave@.service"];

/// Verifies all units, with the programs that were just built, and judges the hardened ones.
pub fn run(workspace: &Workspace) -> Result<()> {
    let units = copies(workspace)?;
    // Without --recursive-errors an unknown key is only mentioned.
    let mut verify = workspace.command("systemd-analyze");
    verify.args(["verify", "--recursive-errors=yes", "--man=no"]).args(&units);
    workspace::run(&mut verify)?;
    for name in HARDENED {
        let unit = units.iter().find(|unit| unit.ends_with(name));
        let unit = unit.with_context(|| format!("infra/systemd has no {name}"))?;
        let mut security = workspace.command("systemd-analyze");
        security.args(["security", "--offline=true", "--no-pager", MOST_EXPOSED]).arg(unit);
        let table = workspace::output(&mut security)?;
        let verdict = table.lines().last().unwrap_or_default();
        crate::report::say(format_args!("{verdict}"));
    }
    Ok(())
}

/// The units as they are, but with the programs where the build left them: systemd looks whether
/// they are there.
fn copies(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let from = workspace.root.join("infra/systemd");
    let to = workspace.scratch("units")?;
    let built = format!("{}/vipward", workspace.target.join("debug").display());
    let mut units = Vec::new();
    for entry in fs::read_dir(&from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().ends_with(".service") {
            let text = fs::read_to_string(entry.path())?;
            let unit = to.join(name);
            fs::write(&unit, text.replace(INSTALLED, &built))?;
            units.push(unit);
        }
    }
    ensure!(!units.is_empty(), "{} has no units", from.display());
    units.sort();
    Ok(units)
}
