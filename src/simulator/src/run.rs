//! Carrying a command out: playing, telling, and what to do next.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use vipward_core::Exit;

use crate::audit::rule::Rule;
use crate::audit::tally::Tally;
use crate::failure::Failure;
use crate::history::concurrency::Concurrency;
use crate::history::generate::generate;
use crate::history::scenario::Scenario;
use crate::options::Command;
use crate::report;
use crate::shrink::{play, shrink};

/// Of the seeds that break a rule so many are told.
const MOST_TOLD: usize = 20;

/// Carries the command out, and tells on `out`.
///
/// # Errors
/// When a file cannot be read or written, or a cluster cannot be deployed.
pub fn run(command: Command, out: &mut impl Write) -> Result<Exit, Failure> {
    match command {
        Command::Seeds { seeds, from, picture, concurrency } => {
            let concurrency = concurrency.map(Concurrency::Reserved);
            many(&Seeds { from, count: seeds, concurrency }, picture.as_deref(), out)
        }
        Command::Seed { seed } => one(&generate(seed), out),
        Command::Show { seed } => {
            write!(out, "{}", generate(seed).to_text())?;
            Ok(Exit::Fine)
        }
        Command::Play { file } => one(&read(file)?, out),
    }
}

fn read(path: PathBuf) -> Result<Scenario, Failure> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(Failure::Read { path, source }),
    };
    Scenario::parse(&text).map_err(|source| Failure::BadScenario { path, source })
}

fn one(scenario: &Scenario, out: &mut impl Write) -> Result<Exit, Failure> {
    let played = play(scenario, true)?;
    for line in &played.timeline {
        writeln!(out, "{line}")?;
    }
    for breach in &played.breaches {
        writeln!(out, "broken: {}: {}", breach.rule, breach.what)?;
    }
    if played.breaches.is_empty() {
        writeln!(out, "no rule was broken")?;
        return Ok(Exit::Fine);
    }
    Ok(Exit::Failed)
}

/// The seeds that broke a rule, with the rule.
type Broken = Vec<(u64, Rule)>;

/// Which histories are played.
struct Seeds {
    from: u64,
    count: u64,
    /// Whatever the seeds say.
    concurrency: Option<Concurrency>,
}

impl Seeds {
    fn scenario(&self, seed: u64) -> Scenario {
        let scenario = generate(seed);
        Scenario { concurrency: self.concurrency.unwrap_or(scenario.concurrency), ..scenario }
    }
}

fn many(all: &Seeds, picture: Option<&Path>, out: &mut impl Write) -> Result<Exit, Failure> {
    let started = Instant::now();
    let (tally, mut broken) = play_all(all)?;
    let took = started.elapsed();
    broken.sort_by_key(|(seed, rule)| (*seed, rule.text()));
    write!(out, "{}", report::table(&tally, broken_seeds(&broken)))?;
    let hours = tally.lasted.as_secs_f64() / 3_600.0;
    writeln!(
        out,
        "{} histories, {hours:.0} hours, {} invocations, {} moves in {:.1} s: {:.0} hours a second",
        tally.histories,
        tally.invocations,
        tally.moves,
        took.as_secs_f64(),
        hours / took.as_secs_f64(),
    )?;
    write!(out, "{}", tally.figures.in_words())?;
    if let Some(picture) = picture {
        std::fs::write(picture, report::picture(&tally, broken_seeds(&broken)))
            .map_err(|source| Failure::Write { path: picture.to_owned(), source })?;
    }
    if broken.is_empty() {
        writeln!(out, "no rule was broken")?;
        return Ok(Exit::Fine);
    }
    let mut by_rule: BTreeMap<_, u64> = BTreeMap::new();
    for (_, rule) in &broken {
        *by_rule.entry(rule.text()).or_default() += 1;
    }
    for (rule, seeds) in by_rule {
        writeln!(out, "{seeds} seeds broke: {rule}")?;
    }
    for (seed, rule) in broken.iter().take(MOST_TOLD) {
        writeln!(
            out,
            "seed {seed} broke: {rule}   (cargo xtask simulate --seeds 1 --from {seed})"
        )?;
    }
    let (seed, rule) = broken[0];
    writeln!(
        out,
        "\n{} of {} seeds broke a rule. Seed {seed}, cut down:\n",
        broken_seeds(&broken),
        all.count
    )?;
    let least = shrink(&all.scenario(seed), rule)?;
    writeln!(out, "{}", least.to_text())?;
    one(&least, out)?;
    writeln!(out, "\nreplay all of it: vipward-simulator seed {seed}")?;
    Ok(Exit::Failed)
}

fn broken_seeds(broken: &Broken) -> usize {
    broken.iter().map(|(seed, _)| seed).collect::<BTreeSet<_>>().len()
}

/// Each history by itself, as many at a time as there are processors.
fn play_all(seeds: &Seeds) -> anyhow::Result<(Tally, Broken)> {
    let next = AtomicU64::new(seeds.from);
    let all = Mutex::new((Tally::default(), Broken::new(), None));
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.from.saturating_add(seeds.count) {
                        return;
                    }
                    let played = play(&seeds.scenario(seed), false);
                    let mut all = all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    match played {
                        Ok(played) => {
                            all.0.add(&played.tally);
                            all.1.extend(played.breaches.iter().map(|of| (seed, of.rule)));
                        }
                        Err(error) => all.2 = Some(error.context(format!("seed {seed}"))),
                    }
                }
            });
        }
    });
    let (tally, broken, error) =
        all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    error.map_or(Ok((tally, broken)), Err)
}
