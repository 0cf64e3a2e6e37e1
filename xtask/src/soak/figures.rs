//! Memory and time of a process, as the kernel counts them in `/proc`.

use std::fmt;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Of a second; the same on all machines that Linux's `/proc` speaks of.
const TICKS: f64 = 100.0;
const MOST_CPU_PERCENT: f64 = 0.5;
/// What memory may grow by from the second quarter of the run to the last.
const MOST_GROWTH_MIB: f64 = 1.0;

/// What a process takes at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    resident_mib: f64,
    cpu: f64,
}

impl Sample {
    /// Of a process that runs.
    pub fn of(id: u32) -> Result<Self> {
        let read = |name: &str| {
            let path = format!("/proc/{id}/{name}");
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        let resident_mib =
            resident_kib(&read("status")?).context("no VmRSS in its status")? / 1024.0;
        let cpu = ticks(&read("stat")?).context("no times in its stat")? / TICKS;
        Ok(Self { resident_mib, cpu })
    }
}

fn resident_kib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Spent by the process itself: not by the commands that it runs. The program's name, which may
/// hold anything, ends at the last parenthesis.
fn ticks(stat: &str) -> Option<f64> {
    const USER: usize = 11;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(USER);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some(next()? + next()?)
}

/// What a process took over time.
#[derive(Debug, Default)]
pub struct Figures {
    samples: Vec<(Duration, Sample)>,
    minute: u64,
    minute_began: usize,
}

/// Over a part of the run.
struct Span {
    least_mib: f64,
    most_mib: f64,
    cpu_percent: f64,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least_mib, most_mib, cpu_percent } = self;
        write!(f, "{least_mib:>8.1} {most_mib:>8.1} {cpu_percent:>7.2} %")
    }
}

impl Figures {
    /// Of the lines that [`Self::take`] returns, after the agent's name.
    pub const HEADINGS: &str = "agent         minute  MiB min  MiB max       CPU";

    /// Takes a sample in; a line of the table when a minute is over.
    pub fn take(&mut self, at: Duration, sample: Sample) -> Option<String> {
        self.samples.push((at, sample));
        let minute = at.as_secs() / 60;
        if minute == self.minute {
            return None;
        }
        self.minute = minute;
        let span = span(&self.samples[self.minute_began..]);
        self.minute_began = self.samples.len() - 1;
        Some(format!("{minute:>6} {span}"))
    }

    /// The whole run but for its first quarter, in which the agent starts.
    pub fn summary(&self, name: &str) -> String {
        format!("{name:<13} {:>6} {}", "all", span(self.settled()))
    }

    /// In what it takes too much.
    pub fn failures(&self, name: &str, most_mib: f64) -> Vec<String> {
        let settled = self.settled();
        let third = settled.len() / 3;
        let (whole, first, last) =
            (span(settled), span(&settled[..third]), span(&settled[settled.len() - third..]));
        let growth = last.most_mib - first.most_mib;
        let mut failures = Vec::new();
        if whole.most_mib > most_mib {
            failures.push(format!("{name}: {:.1} MiB, not {most_mib}", whole.most_mib));
        }
        if growth > MOST_GROWTH_MIB {
            failures.push(format!("{name}: its memory grew by {growth:.1} MiB"));
        }
        if whole.cpu_percent > MOST_CPU_PERCENT {
            let cpu = whole.cpu_percent;
            failures.push(format!("{name}: {cpu:.2} % of a core, not {MOST_CPU_PERCENT} %"));
        }
        failures
    }

    fn settled(&self) -> &[(Duration, Sample)] {
        &self.samples[self.samples.len() / 4..]
    }
}

fn span(samples: &[(Duration, Sample)]) -> Span {
    let resident = || samples.iter().map(|(_, sample)| sample.resident_mib);
    let (cpu, time) = match (samples.first(), samples.last()) {
        (Some((begun, first)), Some((ended, last))) => {
            (last.cpu - first.cpu, ended.abs_diff(*begun).as_secs_f64())
        }
        _ => (0.0, 0.0),
    };
    Span {
        least_mib: resident().fold(f64::INFINITY, f64::min),
        most_mib: resident().fold(0.0, f64::max),
        cpu_percent: if time > 0.0 { 100.0 * cpu / time } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(samples: impl Iterator<Item = (f64, f64)>) -> Figures {
        let mut figures = Figures::default();
        for (second, (resident_mib, cpu)) in (0..).zip(samples) {
            figures.take(Duration::from_secs(second), Sample { resident_mib, cpu });
        }
        figures
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(resident_kib("VmHWM:\t  9 kB\nVmRSS:\t   12345 kB\n"), Some(12345.0));
        assert_eq!(resident_kib("Name:\tx\n"), None);
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 30 12 5 5 20 0 1";
        assert_eq!(ticks(stat), Some(42.0));
        assert_eq!(ticks("7 (a"), None);
    }

    #[test]
    fn too_much_is_told_and_what_the_start_takes_is_not() {
        let of = |memory: fn(u32) -> f64, cpu: f64| {
            let samples = (0..600).map(|s| (memory(s), cpu * f64::from(s)));
            figures(samples).failures("x", 20.0)
        };
        assert_eq!(of(|s| if s < 60 { 25.0 } else { 12.0 }, 0.004), Vec::<String>::new());
        assert_eq!(of(|_| 21.0, 0.001), ["x: 21.0 MiB, not 20"]);
        assert_eq!(of(|s| 10.0 + f64::from(s) / 100.0, 0.001), ["x: its memory grew by 3.0 MiB"]);
        assert_eq!(of(|_| 9.0, 0.01), ["x: 1.00 % of a core, not 0.5 %"]);
    }
}
