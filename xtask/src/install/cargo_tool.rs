//! Tools that cargo builds: found, or built once and kept outside the clone.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use super::Need;
use crate::report::say;
use crate::workspace::{self, Workspace};

/// A program that extends cargo, of one version.
#[derive(Debug)]
pub struct CargoTool {
    name: &'static str,
    version: &'static str,
    /// What makes it tell its version.
    asked: &'static [&'static str],
    features: &'static str,
}

/// Without default features, since they fetch advisories.
pub const DENY: CargoTool =
    CargoTool { name: "cargo-deny", version: "0.20.2", asked: &["--version"], features: "" };

/// Makes Debian's packages.
pub const DEB: CargoTool =
    CargoTool { name: "cargo-deb", version: "3.8.0", asked: &["--version"], features: "lzma" };

/// Makes RPM packages.
pub const GENERATE_RPM: CargoTool = CargoTool {
    name: "cargo-generate-rpm",
    version: "0.21.1",
    asked: &["--version"],
    features: "",
};

/// Breaks code on purpose.
pub const MUTANTS: CargoTool = CargoTool {
    name: "cargo-mutants",
    version: "27.1.0",
    asked: &["mutants", "--version"],
    features: "",
};

/// Each with who needs it.
pub const TOOLS: [(CargoTool, Need); 3] =
    [(DENY, Need::CargoDeny), (DEB, Need::Packaging), (GENERATE_RPM, Need::Packaging)];

impl CargoTool {
    /// The user's own if it is of this version, since others take other files; else ours.
    ///
    /// # Errors
    /// When it was not installed.
    pub fn find(&self, workspace: &Workspace) -> Result<PathBuf> {
        let ours = self.place(workspace).join("bin").join(self.name);
        let candidates = [Some(ours), workspace.program(self.name)];
        let wanted = |program: &PathBuf| {
            let output = workspace.command(program).args(self.asked).stderr(Stdio::null()).output();
            output.is_ok_and(|output| self.is_wanted(&String::from_utf8_lossy(&output.stdout)))
        };
        let found = candidates.into_iter().flatten().find(wanted);
        found.with_context(|| format!("{} {} is not installed", self.name, self.version))
    }

    /// Builds it unless it is there: two or three minutes. Without optimisation, since it runs for
    /// seconds.
    pub fn install(&self, workspace: &Workspace) -> Result<()> {
        if self.find(workspace).is_ok() {
            return Ok(());
        }
        let place = self.place(workspace);
        let build = place.join("build");
        say(format_args!(
            "installing by cargo into {}: {} {}",
            place.display(),
            self.name,
            self.version
        ));
        workspace::run(
            workspace
                .command("cargo")
                .args(["install", self.name, "--version", self.version, "--locked"])
                .args(["--no-default-features", "--features", self.features])
                .args(["--debug", "--quiet", "--root"])
                .arg(&place)
                .env("CARGO_TARGET_DIR", &build)
                .env("CARGO_PROFILE_DEV_DEBUG", "false"),
        )?;
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))
    }

    fn place(&self, workspace: &Workspace) -> PathBuf {
        workspace.cache.join(format!("{}-{}", self.name, self.version))
    }

    /// Some print their name before the version, some do not.
    fn is_wanted(&self, version_line: &str) -> bool {
        version_line.split_whitespace().next_back() == Some(self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_does_not_do() {
        assert!(DENY.is_wanted("cargo-deny 0.20.2\n"));
        assert!(DEB.is_wanted("3.8.0\n"));
        assert!(!DENY.is_wanted("cargo-deny 0.14.2\n"));
        assert!(!DENY.is_wanted(""));
    }
}
