//! `cargo xtask fuzz`: libFuzzer on everything that parses what others send, with the stable
//! toolchain. `cargo fuzz` would ask for a nightly one: for `AddressSanitizer`, which finds nothing
//! in code that may not be unsafe. What coverage needs, stable Rust can do.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use crate::report::say;
use crate::soak::conversation::ALL;
use crate::workspace::{self, Workspace};

/// LLVM's own pass that counts edges and tells libFuzzer.
const COVERAGE: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing -Ccodegen-units=1";

/// No answer that a probe expects is longer.
const LONGEST_INPUT: u32 = 4096;
const MOST_MEMORY_MB: u32 = 512;
/// More for one input is a hang.
const LONGEST_RUN: u32 = 10;

/// Builds the targets and feeds each for so long. What breaks one is kept, and named.
pub fn run(workspace: &Workspace, seconds: u32, only: &[String]) -> Result<ExitCode> {
    let targets = targets(workspace)?;
    if let Some(unknown) = only.iter().find(|name| !targets.contains(name)) {
        bail!("there is no target {unknown:?}; there are {}", targets.join(", "));
    }
    ensure!(
        workspace.program("c++").is_some(),
        "libFuzzer needs a C++ compiler: install one (`apt-get install g++`) and try again"
    );
    let place = workspace.target.join("fuzz");
    let host = host(workspace)?;
    let mut build = workspace.command("cargo");
    build
        .args(["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml"])
        // Named, so that build scripts go without the flags.
        .args(["--target", &host])
        .env("CARGO_TARGET_DIR", &place)
        .env("RUSTFLAGS", COVERAGE);
    workspace::run(&mut build)?;
    let chosen = targets.iter().filter(|name| only.is_empty() || only.contains(name));
    let mut broken = Vec::new();
    for name in chosen {
        say(format_args!("\n== {name}"));
        let program = place.join(&host).join("release").join(name);
        let directory = workspace.scratch(&format!("fuzz/{name}"))?;
        let corpus = directory.join("corpus");
        fs::create_dir_all(&corpus).context("cannot make a place for inputs")?;
        for (number, seed) in (0..).zip(seeds(name)) {
            fs::write(corpus.join(format!("seed-{number}")), seed)
                .context("cannot write a seed")?;
        }
        let mut command = workspace.command(program);
        command
            .arg(&corpus)
            .arg(format!("-artifact_prefix={}/", directory.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST_INPUT}"))
            .arg(format!("-timeout={LONGEST_RUN}"))
            .arg(format!("-rss_limit_mb={MOST_MEMORY_MB}"))
            .args(["-print_final_stats=1", "-verbosity=0"]);
        if let Err(error) = workspace::run(&mut command) {
            say(format_args!("error: {error:#}"));
            broken.push(name.as_str());
        }
    }
    if broken.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("\nbroken: {}; the input is named above", broken.join(", ")));
    Ok(ExitCode::FAILURE)
}

/// What a good peer says, for the noise to begin with.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    const WHOLE: u8 = 0xff;
    let protocol = ALL.into_iter().find(|protocol| protocol.kind() == target);
    let conversation = protocol.map(|protocol| [vec![WHOLE], protocol.words().concat()].concat());
    let text: &[&str] = match target {
        "config" => &[include_str!("../../infra/example/vipward.toml")],
        "hint" => &[concat!(
            r#"{"version":1,"cluster":"c","start_id":"x","sequence":1,"config_digest":"0","#,
            r#""observations":[{"subject":"a","service":"s","verdict":"healthy","held_ms":1}]}"#
        )],
        "ledger" => &["moved=1790000001 moves=1790000000,1790000001"],
        "names" => &["vipward/c/s/n/self", "vipward/c/s/n/peer/o", "vipward.agent.c.n"],
        "systemd" => &["\u{7f}OK 1\r\nl\u{2}\u{1}\u{1}"],
        _ => &[],
    };
    let text = text.iter().map(|text| text.as_bytes().to_vec());
    text.chain(conversation).collect()
}

/// Each is one file.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let directory = workspace.root.join("fuzz/src/bin");
    let files =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<_> = files.flatten().filter_map(|file| name(file.path())).collect();
    names.sort();
    ensure!(!names.is_empty(), "{} is empty", directory.display());
    Ok(names)
}

fn host(workspace: &Workspace) -> Result<String> {
    let said = workspace::output(workspace.command("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for which host it builds")
}
