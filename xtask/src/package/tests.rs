//! What needs no long build: the lists in the manifest, and the scripts.

use std::process::Command;

use cargo_metadata::MetadataCommand;
use serde_json::Value;

use super::*;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where the packages differ: systems keep these elsewhere, or by means of their own.
const OF_ONE: [&str; 4] =
    ["/zsh/", "/usr/share/licenses/", "/usr/share/doc/vipward/CHANGELOG", "LICENSE"];

fn metadata(section: &str) -> Value {
    let metadata = MetadataCommand::new()
        .manifest_path(format!("{ROOT}/Cargo.toml"))
        .no_deps()
        .exec()
        .expect("the workspace's metadata");
    let package = metadata.packages.into_iter().find(|package| package.name == MANIFEST_OF);
    package.expect("the package").metadata[section].clone()
}

/// Source, destination without a file's name, and mode of each line.
fn list(assets: &Value, of: impl Fn(&Value, usize, &str) -> String) -> Vec<[String; 3]> {
    let assets = assets.as_array().expect("a list").iter();
    let lines = assets.map(|asset| {
        let field = |index, name| of(asset, index, name);
        let to = field(1, "dest");
        [field(0, "source"), format!("/{}", to.trim_start_matches('/')), field(2, "mode")]
    });
    let common = lines.filter(|[from, to, _]| {
        !OF_ONE.iter().any(|only| from.contains(only) || to.contains(only))
            && !from.ends_with("CHANGELOG.md")
    });
    common.collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn both_packages_hold_the_same() {
    let deb = list(&metadata("deb")["assets"], |asset, index, _| text(&asset[index]));
    let rpm = list(&metadata("generate-rpm")["assets"], |asset, _, name| text(&asset[name]));
    assert!(deb.len() >= 9, "{deb:?}");
    assert_eq!(deb, rpm);
}

#[test]
fn what_is_packed_is_there() {
    let deb = list(&metadata("deb")["assets"], |asset, index, _| text(&asset[index]));
    for [from, ..] in deb.iter().filter(|[from, ..]| !from.starts_with("target/")) {
        let folder_of = Path::new(ROOT).join("src/cli").join(from);
        let there = match folder_of.file_name().and_then(|name| name.to_str()) {
            Some(name) if name.starts_with('*') => folder_of.parent().expect("one").is_dir(),
            _ => folder_of.is_file(),
        };
        assert!(there, "{from} is not there");
    }
}

#[test]
fn every_script_is_one_for_any_shell() {
    for folder in ["debian", "rpm"] {
        let folder = Path::new(ROOT).join("infra/packaging").join(folder);
        for entry in fs::read_dir(folder).expect("the scripts are part of the project") {
            let script = entry.expect("readable").path();
            let parsed = Command::new("sh").arg("-n").arg(&script).status().expect("sh");
            assert!(parsed.success(), "{} is no shell script", script.display());
        }
    }
}

#[test]
fn every_unit_is_run() {
    let infra = Path::new(ROOT).join("infra");
    let trial = fs::read_to_string(infra.join("packaging/debian/live.sh")).expect("a script");
    for entry in fs::read_dir(infra.join("systemd")).expect("the units are part of the project") {
        let unit = entry.expect("readable").file_name().into_string().expect("a name");
        let started = format!("systemctl enable --now {}", unit.replace("@.", "@db."));
        assert!(trial.contains(&started), "{unit} is not tried: no `{started}`");
    }
}

#[test]
fn where_no_systemd_boots_the_trial_fails_and_says_why() {
    let workspace = Workspace::find().expect("this one");
    let root = workspace.scratch("package-without-a-systemd").expect("a folder");
    make_empty(&root).expect("an empty one");
    for folder in ["trial", "etc/systemd/system"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    // There is not even a place to mount anything.
    let boot = Path::new(ROOT).join("infra/packaging/debian/boot.sh");
    let ended = Command::new("sh").arg(boot).arg(&root).output().expect("sh");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{told}");
    assert!(told.contains("mount: ") && told.contains("error: no systemd runs here"), "{told}");
}
