//! What lasts as long as one invocation of the function.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::evidence::Observations;
use vipward_core::observed::age;
use vipward_core::{Config, ServiceName};

use crate::memory::{Memory, locked};
use crate::ports::Ports;
use crate::wake::WakeKind;

/// How old, counted from its arrival, EC2's answer may be when a call that rests on it is sent; and
/// how old the newest observations may be when EC2 is asked. So a slow answer is used once, at
/// once.
pub const EVIDENCE_AGE: Duration = Duration::from_secs(1);

/// What agents said, as the environment remembers it.
#[derive(Debug, Default)]
pub struct Hints {
    /// What they said by hints.
    pub said: Observations,
    /// What the last pass read in the metrics: it may have taken an older hint back.
    pub read_before: Observations,
    /// Whether the newest of them has only just been heard: then a move may rest on them alone.
    pub are_news: bool,
}

/// One invocation: what it works with, why it was woken, and until when.
#[derive(Debug)]
pub struct Invocation<'i, P> {
    /// The cluster's file.
    pub config: &'i Config,
    /// The world.
    pub ports: &'i P,
    /// What the environment remembers.
    pub memory: &'i Mutex<Memory>,
    /// What woke the function.
    pub wake: WakeKind,
    /// When it was woken.
    pub woken: Timestamp,
    /// Whether the hint that woke it is news: neither overtaken by another, nor long under way.
    pub brings_news: bool,
    /// When all must be over.
    pub deadline: Timestamp,
}

impl<'i, P> Invocation<'i, P> {
    /// The same through other ports.
    pub fn through<'o, Q>(&self, ports: &'o Q) -> Invocation<'o, Q>
    where
        'i: 'o,
    {
        let Self { config, memory, wake, woken, brings_news, deadline, .. } = *self;
        Invocation { config, ports, memory, wake, woken, brings_news, deadline }
    }
}

impl<P: Ports> Invocation<'_, P> {
    /// The hints that are fresh now. They are news while the hint that woke the function has only
    /// just arrived: with one invocation at a time, later ones wait in the queue.
    pub fn hints(&self) -> Hints {
        let now = self.ports.now();
        let mut memory = locked(self.memory);
        let (said, read_before) = (memory.observations(self.config, now), memory.read_before());
        let are_news = self.brings_news && age(self.woken, now) <= EVIDENCE_AGE;
        Hints { said, read_before, are_news }
    }

    /// Whose metrics the first pass reads at once, without waiting for EC2's answer to ask for
    /// them.
    pub fn first_scope(&self) -> BTreeSet<ServiceName> {
        locked(self.memory).first_scope(self.config, self.wake, self.ports.now())
    }
}
