//! What the commands need from outside, installed when it is missing and announced before.

mod apt;
pub mod deny;
pub mod python;

use std::fs::{self, File};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Something that a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Programs that make network and user namespaces, and network managers to run in them.
    Network,
    /// What reads and judges systemd's units.
    Systemd,
    /// A real Redis, started by the tests themselves.
    Redis,
    /// A real MariaDB and PostgreSQL, likewise.
    Databases,
    /// The aws command, boto3, SAM, cfn-lint and cargo-lambda, in an environment of their own.
    PythonTools,
    /// cargo-deny.
    CargoDeny,
}

impl Need {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Network,
        Self::Systemd,
        Self::Redis,
        Self::Databases,
        Self::PythonTools,
        Self::CargoDeny,
    ];
}

/// Installs what of these is missing: system packages first and in one go, since others may need
/// them.
pub fn ensure(workspace: &Workspace, needs: &[Need]) -> Result<()> {
    let _lock = lock(workspace)?;
    let python = needs.contains(&Need::PythonTools) && !python::is_installed(workspace)?;
    let mut packages = apt::missing(workspace, needs);
    if python && python::interpreter(workspace).is_none() {
        packages.push("python3-venv");
    }
    apt::install(workspace, &packages)?;
    if python {
        python::install(workspace)?;
    }
    if needs.contains(&Need::CargoDeny) {
        deny::install(workspace)?;
    }
    Ok(())
}

/// Holds off another run, which would take this one's half-made environment for a broken one.
fn lock(workspace: &Workspace) -> Result<File> {
    fs::create_dir_all(&workspace.cache)
        .with_context(|| format!("cannot create {}", workspace.cache.display()))?;
    let path = workspace.cache.join("lock");
    let file = File::create(&path).and_then(|file| file.lock().map(|()| file));
    file.with_context(|| format!("cannot lock {}", path.display()))
}
