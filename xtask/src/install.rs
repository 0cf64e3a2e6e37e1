//! What the commands need from outside, installed when it is missing and announced before.

pub mod apt;
pub mod cargo_tool;
pub mod python;

use std::fs::{self, File};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

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
    /// A server that speaks MongoDB's protocol, likewise, in an environment of its own.
    Mongodb,
    /// The aws command, boto3, SAM, cfn-lint and cargo-lambda, in an environment of their own.
    PythonTools,
    CargoDeny,
    /// What makes packages and takes them apart.
    Packaging,
    /// What builds for hosts with an older C library.
    Cross,
}

impl Need {
    /// All that the demo and the tests need.
    pub const OF_TESTS: &[Self] = &[
        Self::Network,
        Self::Systemd,
        Self::Redis,
        Self::Databases,
        Self::Mongodb,
        Self::PythonTools,
        Self::CargoDeny,
    ];
}

/// Installs what of these is missing: system packages first and in one go, since others may need
/// them.
pub fn ensure(workspace: &Workspace, needs: &[Need]) -> Result<()> {
    let _lock = lock(workspace)?;
    let mut environments = Vec::new();
    for (environment, need) in [
        (python::MONGODB, Need::Mongodb),
        (python::TOOLS, Need::PythonTools),
        (python::CROSS, Need::Cross),
    ] {
        if needs.contains(&need) && !environment.is_installed(workspace)? {
            environments.push(environment);
        }
    }
    let mut packages = apt::missing(workspace, needs);
    if !environments.is_empty() && python::interpreter(workspace).is_none() {
        packages.push("python3-venv");
    }
    apt::install(workspace, &packages)?;
    for environment in environments {
        environment.install(workspace)?;
    }
    for (tool, need) in &cargo_tool::TOOLS {
        if needs.contains(need) {
            tool.install(workspace)?;
        }
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
