//! The package for Debian and Ubuntu: made, and tried in a fresh root of this host's own release.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::release::Build;
use super::{MANIFEST_OF, live};
use crate::install::apt;
use crate::install::cargo_tool::DEB;
use crate::report::say;
use crate::workspace::{self, Workspace};

/// Beside what is packed: `trial.sh` plays install, upgrade, removal and purge inside the root, and
/// `live.sh` runs the units there.
const SCRIPTS: &str = "infra/packaging/debian";

/// What the package depends on beside the C library, and what its units are tried with: a bus, as
/// every host has one, and `ip`.
const DEPENDENCIES: [&str; 5] = ["ca-certificates", "dbus", "iproute2", "procps", "systemd"];

/// What cargo-deb makes of the manifest's list.
pub fn make(workspace: &Workspace, build: &Build, folder: &Path) -> Result<PathBuf> {
    make_version(workspace, build, None, &folder.join(format!("{MANIFEST_OF}.deb")))
}

fn make_version(
    workspace: &Workspace,
    build: &Build,
    version: Option<&str>,
    package: &Path,
) -> Result<PathBuf> {
    let mut command = workspace.command(DEB.find(workspace)?);
    // The profile has stripped the programs.
    command.args(["--package", MANIFEST_OF, "--no-build", "--no-strip", "--no-dbgsym", "--output"]);
    command.arg(package);
    if let Some(triple) = build.triple {
        command.args(["--target", triple]);
    }
    if let Some(version) = version {
        command.args(["--deb-version", version]);
    }
    workspace::run(&mut command)?;
    Ok(package.to_owned())
}

/// Installs, upgrades, removes and purges it in a root that debootstrap made, as root; then runs
/// its units under that root's systemd.
pub fn try_out(workspace: &Workspace, build: &Build, package: &Path) -> Result<()> {
    let scratch = workspace.scratch("package")?;
    let newer = make_version(workspace, build, Some("999"), &scratch.join("newer.deb"))?;
    let fresh = fresh_root(workspace)?;
    let root = scratch.join("debian-root");
    let as_root = |program: &str| apt::as_root(workspace, program);
    workspace::run(as_root("rm")?.arg("-rf").arg(&root))?;
    workspace::run(as_root("cp")?.args(["--archive", "--reflink=auto"]).args([&fresh, &root]))?;
    for (file, name) in [(package, "first.deb"), (newer.as_path(), "newer.deb")] {
        workspace::run(as_root("cp")?.arg(file).arg(root.join(name)))?;
    }
    workspace::run(as_root("cp")?.arg("--recursive").arg(SCRIPTS).arg(root.join("trial")))?;
    let tried = workspace::run(as_root("chroot")?.arg(&root).args(["/bin/sh", "/trial/trial.sh"]))
        .context("the package does not behave")
        .and_then(|()| live::try_out(workspace, &root));
    workspace::run(as_root("rm")?.arg("-rf").arg(&root))?;
    tried
}

/// A root of this host's release with what the package depends on, made once: half a minute.
fn fresh_root(workspace: &Workspace) -> Result<PathBuf> {
    let release = fs::read_to_string("/etc/os-release").context("cannot tell the release")?;
    let codename = codename(&release).context("/etc/os-release names no VERSION_CODENAME")?;
    let place = workspace.cache.join(format!("root-{codename}-{}", DEPENDENCIES.join("-")));
    if place.is_dir() {
        return Ok(place);
    }
    let indices = workspace::output(workspace.command("apt-get").args([
        "indextargets",
        "--format",
        "$(CODENAME) $(REPO_URI)",
    ]))?;
    let mirror = mirror(&indices, codename)
        .with_context(|| format!("apt knows no mirror of {codename}; run `apt-get update`"))?;
    say(format_args!("making a root of {codename} in {}", place.display()));
    // Under another name until it is complete.
    let half = place.with_extension("half");
    workspace::run(apt::as_root(workspace, "rm")?.arg("-rf").arg(&half))?;
    workspace::run(
        apt::as_root(workspace, "debootstrap")?
            .args(["--variant=minbase", "--include", &DEPENDENCIES.join(","), codename])
            .arg(&half)
            .arg(mirror),
    )?;
    workspace::run(apt::as_root(workspace, "mv")?.args([&half, &place]))?;
    Ok(place)
}

fn codename(os_release: &str) -> Option<&str> {
    let codename = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    codename.map(|name| name.trim_matches('"')).filter(|name| !name.is_empty())
}

/// Where apt gets the release itself from, of lines `CODENAME URI`.
fn mirror<'i>(indices: &'i str, codename: &str) -> Option<&'i str> {
    let pairs = indices.lines().filter_map(|line| line.split_once(' '));
    pairs.filter(|(name, _)| *name == codename).map(|(_, uri)| uri).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_that_of_the_release_itself() {
        let indices = "bookworm-security http://security.example/debian-security/\n\
                       nodistro https://others.example/\n\
                       bookworm http://mirror.example/debian/\n";
        assert_eq!(mirror(indices, "bookworm"), Some("http://mirror.example/debian/"));
        assert_eq!(mirror(indices, "trixie"), None);
    }

    #[test]
    fn the_release_is_named_with_or_without_quotes() {
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=bookworm\n"), Some("bookworm"));
        assert_eq!(codename("VERSION_CODENAME=\"noble\"\n"), Some("noble"));
        assert_eq!(codename("ID=arch\nVERSION_CODENAME=\n"), None);
    }
}
