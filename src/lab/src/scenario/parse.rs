//! From text to a checked scenario.

use std::path::Path;

use clap::ValueEnum as _;
use serde_json::{Map, Value, json};

use super::words::{Words, Wrong};
use super::{Action, Fault, Scenario, Statement, Step, expectation};
use crate::ask::ServiceKind;
use crate::layout::{MOST, Wish};

const STATEMENTS: &str = "cluster, policy, delays, start, kill, cut, restore, instance, delete, put, forge, fault, \
                          clear, expect";
const INSTANCE_STATES: [&str; 3] = ["running", "stopped", "terminated"];

/// Reads a whole file.
pub fn scenario(file: &Path, text: &str) -> Result<Scenario, Vec<Fault>> {
    let mut reader = Reader { wish: Wish::default(), steps: Vec::new(), started: false };
    let mut faults = Vec::new();
    let mut title = None;
    for (line, whole) in (1..).zip(text.lines()) {
        let (code, comment) = whole.split_once('#').unwrap_or((whole, ""));
        if title.is_none() && !comment.is_empty() {
            title = Some(comment.trim().to_owned());
        }
        if code.trim().is_empty() {
            continue;
        }
        if let Err(Wrong { what, cure }) = reader.read(line, code.trim()) {
            faults.push(Fault { line, what, cure });
        }
    }
    let understood = faults.is_empty();
    // What a whole file lacks is only certain once its lines are understood.
    let mut lacks = |what: &str, cure: &str| {
        let (what, cure) = (what.to_owned(), cure.to_owned());
        faults.push(Fault { line: 1, what, cure });
    };
    let expects = |step: &Step| matches!(step.statement, Statement::Expect(_));
    if understood && !reader.started {
        lacks("the cluster is never started", "write `start` after its description");
    } else if title.is_none() {
        lacks("there is no title", "begin with a comment: `# what this shows`");
    } else if understood && !reader.steps.iter().any(expects) {
        lacks("nothing is expected", "say with `expect ...` what must be seen");
    }
    let Reader { wish, steps, .. } = reader;
    match title {
        Some(title) if faults.is_empty() => {
            Ok(Scenario { title, file: file.to_owned(), wish, steps })
        }
        _ => Err(faults),
    }
}

struct Reader {
    wish: Wish,
    steps: Vec<Step>,
    started: bool,
}

impl Reader {
    fn read(&mut self, line: usize, code: &str) -> Result<(), Wrong> {
        let mut words = Words::new(code);
        let first = words.next("a statement")?;
        let describes = matches!(first, "cluster" | "policy" | "delays" | "start");
        if describes == self.started && STATEMENTS.split(", ").any(|known| known == first) {
            let cure = "first describe the cluster, then `start`, then act and expect";
            return Err(Wrong::new(format!("`{first}` in the wrong place"), cure));
        }
        let statement = match first {
            "cluster" => return self.cluster(&mut words),
            "policy" => return settings(&mut words, &mut self.wish.policy),
            "delays" => return settings(&mut words, &mut self.wish.delays),
            "start" => {
                self.started = true;
                words.form = "start [unplaced]";
                if let Some(word) = words.maybe() {
                    self.wish.placed = word != "unplaced";
                    if self.wish.placed {
                        return Err(Wrong::new(
                            format!("`start {word}`"),
                            "write `start [unplaced]`",
                        ));
                    }
                }
                return words.end();
            }
            "expect" => Statement::Expect(expectation::read(&mut words, &self.wish)?),
            _ => Statement::Act(action(first, &mut words, &self.wish)?),
        };
        words.end()?;
        self.steps.push(Step { line, text: code.to_owned(), statement });
        Ok(())
    }

    fn cluster(&mut self, words: &mut Words<'_>) -> Result<(), Wrong> {
        while let Some((key, value)) = pair(words)? {
            let wish = &mut self.wish;
            match key {
                "nodes" => wish.nodes = number(key, value, 1)?,
                "witnesses" => wish.witnesses = number(key, value, 0)?,
                "services" => {
                    let names: Result<_, _> = value.split(',').map(str::parse).collect();
                    wish.services = names.map_err(|error| {
                        Wrong::new(format!("{error}"), "write services=mysql,redis")
                    })?;
                }
                "service" => {
                    wish.kind = ServiceKind::from_str(value, false).map_err(|_| {
                        Wrong::new(format!("no service `{value}`"), "use builtin or redis")
                    })?;
                }
                "hints" => wish.hints = switch(key, value)?,
                _ => {
                    let cure = "use nodes, witnesses, services, service, hints";
                    return Err(Wrong::new(format!("`{key}` is not known"), cure));
                }
            }
        }
        Ok(())
    }
}

fn action(first: &str, words: &mut Words<'_>, wish: &Wish) -> Result<Action, Wrong> {
    Ok(match first {
        "kill" => kill(words, wish)?,
        "cut" => {
            words.form = "cut node-1";
            Action::Cut(words.host(wish)?)
        }
        "restore" => {
            words.form = "restore node-1";
            Action::Restore(words.host(wish)?)
        }
        "instance" => {
            words.form = "instance node-1 stopped";
            let host = words.host(wish)?;
            let state = words.next("a state")?;
            if !INSTANCE_STATES.contains(&state) {
                let cure = format!("use {}", INSTANCE_STATES.join(", "));
                return Err(Wrong::new(format!("no state `{state}`"), cure));
            }
            Action::Instance(host, state.to_owned())
        }
        "delete" => {
            words.form = "delete alias svc on node-1";
            words.literally("alias")?;
            let service = words.service(wish)?;
            words.literally("on")?;
            Action::DeleteAlias(service, words.host(wish)?)
        }
        "put" => {
            words.form = "put event fixtures/foreign-alarm.json";
            words.literally("event")?;
            Action::PutEvent(words.next("a file")?.into())
        }
        "forge" => {
            words.form = "forge hint of node-1 by node-2";
            words.literally("hint of")?;
            let of = words.host(wish)?;
            words.literally("by")?;
            Action::ForgeHint { of, by: words.host(wish)? }
        }
        "fault" => Action::Fault(fault(words)?),
        "clear" => {
            words.form = "clear faults";
            words.literally("faults")?;
            Action::ClearFaults
        }
        _ => {
            let what = format!("`{first}` is not a statement");
            return Err(Wrong::new(what, format!("use one of {STATEMENTS}")));
        }
    })
}

/// `kill service S on N`, `kill agent on N` or `kill node N`.
fn kill(words: &mut Words<'_>, wish: &Wish) -> Result<Action, Wrong> {
    words.form = "kill service svc on node-1`, `kill agent on node-1` or `kill node node-1";
    Ok(match words.next("what to kill")? {
        "service" => {
            let service = words.service(wish)?;
            words.literally("on")?;
            Action::KillService(service, words.host(wish)?)
        }
        "agent" => {
            words.literally("on")?;
            Action::KillAgent(words.host(wish)?)
        }
        "node" => Action::KillNode(words.host(wish)?),
        other => {
            let cure = format!("write `{}`", words.form);
            return Err(Wrong::new(format!("cannot kill `{other}`"), cure));
        }
    })
}

/// A fault in the form of the region's control API.
fn fault(words: &mut Words<'_>) -> Result<Value, Wrong> {
    words.form = "fault ec2:AssignPrivateIpAddresses error RequestLimitExceeded 503 times 2";
    let mut fault = Map::new();
    let mut set = |key: &str, value: Value| fault.insert(key.to_owned(), value);
    set("on", json!(words.next("an operation")?));
    let kind = words.next("a kind of fault")?;
    set("kind", json!(kind));
    match kind {
        "error" => {
            set("code", json!(words.next("an error code")?));
            set("status", json!(words.value::<u16>("an HTTP status")?));
        }
        "delay" | "stale" => {
            set("ms", json!(milliseconds(words)?));
        }
        "lost-reply" | "duplicate" | "reorder" | "drop" => {}
        other => {
            let cure = "use error, delay, stale, lost-reply, duplicate, reorder or drop";
            return Err(Wrong::new(format!("no fault `{other}`"), cure));
        }
    }
    while let Some(word) = words.maybe() {
        match word {
            "times" => set("times", json!(words.value::<u32>("a count")?)),
            "for" => set("for_ms", json!(milliseconds(words)?)),
            _ => {
                return Err(Wrong::new(format!("`{word}`"), "end with `times 2` or `for 20s`"));
            }
        };
    }
    Ok(Value::Object(fault))
}

fn milliseconds(words: &mut Words<'_>) -> Result<u32, Wrong> {
    let duration = words.duration()?;
    u32::try_from(duration.as_millis())
        .map_err(|_| Wrong::new(format!("{duration:?} is too long"), "use at most 49 days"))
}

fn settings(words: &mut Words<'_>, into: &mut Vec<(String, String)>) -> Result<(), Wrong> {
    while let Some((key, value)) = pair(words)? {
        into.push((key.to_owned(), value.to_owned()));
    }
    Ok(())
}

fn pair<'l>(words: &mut Words<'l>) -> Result<Option<(&'l str, &'l str)>, Wrong> {
    let Some(word) = words.maybe() else {
        return Ok(None);
    };
    let split = word.split_once('=');
    split.map(Some).ok_or_else(|| Wrong::new(format!("`{word}` has no value"), "write `key=value`"))
}

fn number(key: &str, value: &str, least: u8) -> Result<u8, Wrong> {
    let parsed = value.parse().ok().filter(|number| (least..=MOST).contains(number));
    parsed.ok_or_else(|| Wrong::new(format!("{key}={value}"), format!("use {least} to {MOST}")))
}

fn switch(key: &str, value: &str) -> Result<bool, Wrong> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Wrong::new(format!("{key}={value}"), format!("write {key}=on or {key}=off"))),
    }
}
