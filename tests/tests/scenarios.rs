//! Makes each file in `scenarios/` one test: `vipward-lab run FILE` must succeed.
//!
//! Each lab has namespaces of its own, so that scenarios do not disturb each other. They mostly
//! wait: four at a time leave two cores with little to do.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

const AT_A_TIME: usize = 4;
/// The other fabric has to work too: one scenario that goes all the way.
const ALSO_ON_LOOPBACK: [&str; 1] = ["service-crash-by-hint"];
const BUILD: &str = "cargo build --workspace";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(AT_A_TIME));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut trials = Vec::new();
    for file in scenarios(&folder) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if ALSO_ON_LOOPBACK.contains(&name.as_str()) {
            let file = file.clone();
            let name = format!("{name}-on-loopback");
            trials.push(Trial::test(name, move || play(&file, "loopback")));
        }
        trials.push(Trial::test(name, move || play(&file, "auto")));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).expect("the folder of scenarios is part of the project");
    let paths = entries.map(|entry| entry.expect("is readable").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "scenario")).collect();
    files.sort();
    files
}

fn play(scenario: &Path, fabric: &str) -> Result<(), Failed> {
    let lab = lab()?;
    let output = Command::new(&lab)
        .args(["run", "--no-color", "--fabric", fabric])
        .arg(scenario)
        .output()
        .map_err(|error| format!("{}: {error}", lab.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    Err(format!("vipward-lab ended with {}\n{told}{complained}", output.status).into())
}

/// The lab lies two folders above this test, where cargo puts what it builds.
fn lab() -> Result<PathBuf, Failed> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let built = own.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let lab = built.join("vipward-lab");
    if lab.is_file() {
        Ok(lab)
    } else {
        Err(format!("{} is not there; build it first: {BUILD}", lab.display()).into())
    }
}
