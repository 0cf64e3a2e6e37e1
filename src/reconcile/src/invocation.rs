//! What lasts as long as one invocation of the function.

use std::sync::Mutex;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::evidence::age;

use crate::gather::{EVIDENCE_AGE, Hints, Look};
use crate::memory::{Memory, locked};
use crate::ports::Ports;
use crate::wake::WakeKind;

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
    /// When all must be over.
    pub deadline: Timestamp,
}

impl<P: Ports> Invocation<'_, P> {
    /// The hints that are fresh now. They are news while the hint that woke the function has only
    /// just arrived: with one invocation at a time, later ones wait in the queue.
    pub fn hints(&self) -> Hints {
        let now = self.ports.now();
        let said = locked(self.memory).testimony(self.config, now);
        let are_news = self.wake == WakeKind::Hint && age(self.woken, now) <= EVIDENCE_AGE;
        Hints { said, are_news }
    }

    /// Whose metrics the first pass reads at once, without waiting for EC2's answer to ask for them.
    pub fn first_look(&self) -> Look {
        let look = locked(self.memory).first_look(self.config, self.wake, self.ports.now());
        Look::At(look)
    }
}
