//! The words of one line, taken one after the other.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use vipward_core::{NodeName, ServiceName};

use crate::layout::ClusterSpec;

/// What the region's operations are named after.
const SERVICES: [&str; 5] = ["ec2", "cloudwatch", "events", "lambda", "imds"];

/// What is wrong with a line, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub what: String,
    pub cure: String,
}

impl Wrong {
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), cure: cure.into() }
    }
}

/// The words that are left of a line; `form` is how the whole should be written.
#[derive(Debug)]
pub struct Words<'l> {
    words: std::str::SplitWhitespace<'l>,
    pub form: &'static str,
}

impl<'l> Words<'l> {
    pub fn new(line: &'l str) -> Self {
        Self { words: line.split_whitespace(), form: "" }
    }

    fn cure(&self) -> String {
        format!("write `{}`", self.form)
    }

    pub fn maybe(&mut self) -> Option<&'l str> {
        self.words.next()
    }

    pub fn next(&mut self, what: &str) -> Result<&'l str, Wrong> {
        self.words.next().ok_or_else(|| Wrong::new(format!("{what} is missing"), self.cure()))
    }

    pub fn literally(&mut self, words: &str) -> Result<(), Wrong> {
        for word in words.split(' ') {
            let found = self.next(&format!("`{word}`"))?;
            if found != word {
                let what = format!("`{found}` where `{word}` should be");
                return Err(Wrong::new(what, self.cure()));
            }
        }
        Ok(())
    }

    pub fn end(&mut self) -> Result<(), Wrong> {
        match self.words.next() {
            Some(word) => Err(Wrong::new(format!("`{word}` is too much"), self.cure())),
            None => Ok(()),
        }
    }

    pub fn value<T: FromStr<Err: Display>>(&mut self, what: &str) -> Result<T, Wrong> {
        let word = self.next(what)?;
        word.parse().map_err(|error| Wrong::new(format!("{what} `{word}`: {error}"), self.cure()))
    }

    /// A duration such as `30s` or `500ms`.
    pub fn duration(&mut self) -> Result<Duration, Wrong> {
        let word = self.next("a duration")?;
        let parsed = word.parse::<SignedDuration>().ok();
        parsed.and_then(|parsed| Duration::try_from(parsed).ok()).ok_or_else(|| {
            Wrong::new(format!("`{word}` is not a duration"), "write it like `30s` or `500ms`")
        })
    }

    pub fn within(&mut self) -> Result<Duration, Wrong> {
        self.literally("within")?;
        self.duration()
    }

    /// An operation such as `ec2:DescribeInstances`; which ones a service has, the region knows.
    pub fn operation(&mut self) -> Result<&'l str, Wrong> {
        let word = self.next("an operation")?;
        match word.split_once(':') {
            Some((service, name)) if SERVICES.contains(&service) && !name.is_empty() => Ok(word),
            _ => {
                let cure = format!("write `service:Operation`, with {}", SERVICES.join(", "));
                Err(Wrong::new(format!("`{word}` is no operation of the region"), cure))
            }
        }
    }

    pub fn service(&mut self, spec: &ClusterSpec) -> Result<ServiceName, Wrong> {
        let word = self.next("a service")?;
        one_of(&spec.services, word, "service")
    }

    /// One of the cluster's nodes and witnesses.
    pub fn host(&mut self, spec: &ClusterSpec) -> Result<NodeName, Wrong> {
        let word = self.next("a node")?;
        one_of(&spec.members(), word, "node")
    }
}

fn one_of<T: Display + Clone>(known: &[T], word: &str, what: &str) -> Result<T, Wrong> {
    let found = known.iter().find(|one| one.to_string() == word);
    found.cloned().ok_or_else(|| {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let cure = format!("the cluster has {}", known.join(", "));
        Wrong::new(format!("there is no {what} `{word}`"), cure)
    })
}

/// A duration as it is told.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
