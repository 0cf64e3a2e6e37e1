//! From text to a checked scenario.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::description::Description;
use super::words::{Words, Wrong};
use super::{Action, Fault, Files, Scenario, Statement, Step, expectation, planned};
use crate::layout::ClusterSpec;

const STATEMENTS: &str = "cluster, policy, delays, answers, start, kill, cut, restore, instance, delete, put, forge, fault, \
                          clear, leave, stay, drain, stop, promote, imds, expect";
const INSTANCE_STATES: [&str; 3] = ["running", "stopped", "terminated"];

pub fn scenario(file: &Path, text: &str, files: Files<'_>) -> Result<Scenario, Vec<Fault>> {
    let about = Description::default();
    let mut reader = Reader { about, files, steps: Vec::new(), started: false };
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
    if understood {
        faults = reader.about.faults();
        faults.sort_by_key(|fault| fault.line);
    }
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
    let Reader { about: Description { spec, .. }, steps, .. } = reader;
    match title {
        Some(title) if faults.is_empty() => {
            Ok(Scenario { title, file: file.to_owned(), spec, steps })
        }
        _ => Err(faults),
    }
}

struct Reader<'f> {
    about: Description,
    files: Files<'f>,
    steps: Vec<Step>,
    started: bool,
}

impl Reader<'_> {
    fn read(&mut self, line: usize, code: &str) -> Result<(), Wrong> {
        let mut words = Words::new(code);
        let first = words.next("a statement")?;
        let describes = matches!(first, "cluster" | "policy" | "delays" | "answers" | "start");
        if describes == self.started && STATEMENTS.split(", ").any(|known| known == first) {
            let cure = "first describe the cluster, then `start`, then act and expect";
            return Err(Wrong::new(format!("`{first}` in the wrong place"), cure));
        }
        let statement = match first {
            "cluster" => return self.about.cluster(&mut words),
            "policy" => return self.about.policy(line, &mut words),
            "delays" => return self.about.delays(&mut words),
            "answers" => return self.about.answers(&mut words),
            "start" => {
                self.started = true;
                words.form = "start [unplaced]";
                if let Some(word) = words.maybe() {
                    self.about.spec.placed = word != "unplaced";
                    if self.about.spec.placed {
                        return Err(Wrong::new(
                            format!("`start {word}`"),
                            "write `start [unplaced]`",
                        ));
                    }
                }
                return words.end();
            }
            "expect" => Statement::Expect(expectation::read(&mut words, &self.about.spec)?),
            _ => Statement::Act(action(first, &mut words, &self.about.spec, self.files)?),
        };
        words.end()?;
        self.steps.push(Step { line, text: code.to_owned(), statement });
        Ok(())
    }
}

fn action(
    first: &str,
    words: &mut Words<'_>,
    spec: &ClusterSpec,
    files: Files<'_>,
) -> Result<Action, Wrong> {
    Ok(match first {
        "kill" => kill(words, spec)?,
        "cut" => {
            words.form = "cut node-1";
            Action::Cut(words.host(spec)?)
        }
        "restore" => {
            words.form = "restore node-1";
            Action::Restore(words.host(spec)?)
        }
        "instance" => {
            words.form = "instance node-1 stopped";
            let host = words.host(spec)?;
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
            let service = words.service(spec)?;
            words.literally("on")?;
            Action::DeleteAlias(service, words.host(spec)?)
        }
        "put" => {
            words.form = "put event fixtures/foreign-alarm.json";
            words.literally("event")?;
            Action::PutEvent(event(words.next("a file")?, files)?)
        }
        "forge" => {
            words.form = "forge hint of node-1 by node-2";
            words.literally("hint of")?;
            let of = words.host(spec)?;
            words.literally("by")?;
            Action::ForgeHint { of, by: words.host(spec)? }
        }
        "fault" => Action::Fault(fault(words)?),
        "clear" => {
            words.form = "clear faults";
            words.literally("faults")?;
            Action::ClearFaults
        }
        _ => {
            if let Some(planned) = planned::read(first, words, spec)? {
                return Ok(planned);
            }
            let what = format!("`{first}` is not a statement");
            return Err(Wrong::new(what, format!("use one of {STATEMENTS}")));
        }
    })
}

/// `kill service S on N`, `kill agent on N`, `kill alias unit on N` or `kill node N`.
fn kill(words: &mut Words<'_>, spec: &ClusterSpec) -> Result<Action, Wrong> {
    words.form = "kill service svc on node-1`, `kill agent on node-1`, `kill alias unit on node-1` or `kill node node-1";
    Ok(match words.next("what to kill")? {
        "service" => {
            let service = words.service(spec)?;
            words.literally("on")?;
            Action::KillService(service, words.host(spec)?)
        }
        "agent" => {
            words.literally("on")?;
            Action::KillAgent(words.host(spec)?)
        }
        "alias" => {
            words.literally("unit on")?;
            Action::KillAlias(words.host(spec)?)
        }
        "node" => Action::KillNode(words.host(spec)?),
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
    set("on", json!(words.operation()?));
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

/// An event to be put on the bus, from its file.
fn event(path: &str, files: Files<'_>) -> Result<Value, Wrong> {
    let cure = "name a file with one JSON object, as seen from the scenario's folder";
    let text = files(Path::new(path))
        .map_err(|error| Wrong::new(format!("cannot read {path}: {error}"), cure))?;
    match serde_json::from_str(&text) {
        Ok(event @ Value::Object(_)) => Ok(event),
        Ok(_) => Err(Wrong::new(format!("{path} is no JSON object"), cure)),
        Err(error) => Err(Wrong::new(format!("{path} is not JSON: {error}"), cure)),
    }
}
