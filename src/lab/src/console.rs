//! What the lab says to the person before it: lines, and progress while something takes its time.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How the progress line is renewed on a terminal.
const TICK: Duration = Duration::from_millis(250);
/// How often progress is told where lines cannot be rewritten.
const PLAIN_TICK: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Strong,
    Faint,
}

/// The lab's voice on standard output.
#[derive(Debug)]
pub struct Console {
    terminal: bool,
    colour: bool,
    waiting_since: Option<Instant>,
    told: Instant,
    unheard: Arc<Notify>,
}

impl Console {
    /// Colour only on a terminal, and only if wanted.
    pub fn new(colour: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            terminal,
            colour: colour && terminal,
            waiting_since: None,
            told: Instant::now(),
            unheard: Arc::default(),
        }
    }

    /// Is notified when nobody reads any more what the lab says.
    pub fn unheard(&self) -> Arc<Notify> {
        Arc::clone(&self.unheard)
    }

    /// A line of data; what would be blank at its end is left out.
    pub fn line(&mut self, text: &str) {
        self.clear();
        self.write(&format!("{}\n", text.trim_end()));
    }

    /// A text in its tone; the same text where there is no colour.
    pub fn toned(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// How long to wait before saying again what is waited for.
    pub fn tick(&self) -> Duration {
        if self.terminal { TICK } else { PLAIN_TICK }
    }

    /// Says what is waited for: on a terminal in one line that is rewritten, elsewhere now and
    /// then.
    pub fn waiting(&mut self, text: &str) {
        let now = Instant::now();
        let since = *self.waiting_since.get_or_insert(now);
        let seconds = now.duration_since(since).as_secs();
        if self.terminal {
            let line = self.toned(Tone::Faint, &format!("… waiting {text} ({seconds} s)"));
            self.write(&format!("\r\x1b[2K    {line}"));
        } else if seconds > 0 && now.duration_since(self.told) >= PLAIN_TICK {
            self.told = now;
            self.write(&format!("    … waiting {text} ({seconds} s)\n"));
        }
    }

    pub fn waited(&mut self) {
        self.clear();
    }

    fn clear(&mut self) {
        if self.waiting_since.take().is_some() && self.terminal {
            self.write("\r\x1b[2K");
        }
    }

    fn write(&self, text: &str) {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        // Any other trouble with the output is not worth the lab: its exit code still says how it
        // went.
        if written.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.unheard.notify_one();
        }
    }
}
