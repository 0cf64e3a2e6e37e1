//! Events on their way to targets: when each is due, and what injected faults make of it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Delivery;
use crate::fault::{DELIVERY, Faults};

/// How long a delivery that is to be overtaken waits when nothing comes to overtake it.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_secs(2);

#[derive(Debug)]
struct Parcel {
    delivery: Delivery,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sent,
    /// Faults hit a delivery once.
    PastFaults,
    /// Likewise, and it waits to be overtaken.
    Held,
}

/// Deliveries by when they are due, and in the order they came in.
#[derive(Debug, Default)]
pub struct Outbox {
    parcels: BTreeMap<(Timestamp, u64), Parcel>,
    serial: u64,
    /// Time from hand-in to hand-out, which a duplicate takes once more.
    transit: SignedDuration,
}

impl Outbox {
    /// An empty outbox with the time that a delivery takes.
    pub fn new(transit: SignedDuration) -> Self {
        Self { transit, ..Self::default() }
    }

    /// Takes a delivery in.
    pub fn send(&mut self, delivery: Delivery, now: Timestamp) {
        self.post(delivery, now + self.transit, State::Sent);
    }

    /// When the next delivery is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.parcels.first_key_value().map(|((due, _), _)| *due)
    }

    /// Hands out what is due, after faults.
    pub fn advance(&mut self, now: Timestamp, faults: &mut Faults) -> Vec<Delivery> {
        let mut out = Vec::new();
        while self.next_due().is_some_and(|due| due <= now) {
            let Some((_, parcel)) = self.parcels.pop_first() else {
                break;
            };
            if parcel.state != State::Sent {
                self.hand_out(parcel, &mut out);
                continue;
            }
            let hit = faults.take(DELIVERY, now);
            if hit.duplicate {
                self.post(parcel.delivery.clone(), now + self.transit, State::PastFaults);
            }
            if hit.drop {
                continue;
            }
            if hit.reorder {
                self.post(parcel.delivery, now + hit.delay + LONGEST_HOLD, State::Held);
            } else if hit.delay > SignedDuration::ZERO {
                self.post(parcel.delivery, now + hit.delay, State::PastFaults);
            } else {
                self.hand_out(parcel, &mut out);
            }
        }
        out
    }

    fn post(&mut self, delivery: Delivery, due: Timestamp, state: State) {
        self.serial += 1;
        self.parcels.insert((due, self.serial), Parcel { delivery, state });
    }

    /// Hands out one delivery, and after it those to the same target that waited to be overtaken.
    fn hand_out(&mut self, parcel: Parcel, out: &mut Vec<Delivery>) {
        let overtakes = parcel.state != State::Held;
        let target = parcel.delivery.target_arn.clone();
        out.push(parcel.delivery);
        if overtakes {
            let waiting = |_: &_, other: &mut Parcel| {
                other.state == State::Held && other.delivery.target_arn == target
            };
            out.extend(self.parcels.extract_if(.., waiting).map(|(_, parcel)| parcel.delivery));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultSpec;
    use serde_json::Value;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).expect("in range")
    }

    fn delivery(id: &str) -> Delivery {
        Delivery {
            rule: "r".to_owned(),
            target_arn: "t".to_owned(),
            event: Value::Null,
            id: id.to_owned(),
        }
    }

    /// What is handed out, by milliseconds, when `a` is sent at 0, `b` at 500 and nothing else
    /// comes.
    fn run(fault: &str) -> Vec<(i64, String)> {
        let mut faults = Faults::default();
        if !fault.is_empty() {
            let spec: FaultSpec = serde_json::from_str(fault).expect("a fault");
            faults.add([spec], at(0));
        }
        let mut outbox = Outbox::new(SignedDuration::from_millis(80));
        outbox.send(delivery("a"), at(0));
        let mut out = Vec::new();
        let mut waiting = vec![("b", at(500))];
        loop {
            let send_at = waiting.first().map(|(_, at)| *at);
            let Some(now) = [send_at, outbox.next_due()].into_iter().flatten().min() else {
                return out;
            };
            if send_at == Some(now) {
                outbox.send(delivery(waiting.remove(0).0), now);
            }
            let due = outbox.advance(now, &mut faults);
            out.extend(due.into_iter().map(|d| (now.as_millisecond(), d.id)));
        }
    }

    #[test]
    fn each_fault_does_its_damage_once() {
        let table: [(&str, &[(i64, &str)]); 5] = [
            ("", &[(80, "a"), (580, "b")]),
            ("duplicate", &[(80, "a"), (160, "a"), (580, "b")]),
            ("drop", &[(580, "b")]),
            ("reorder", &[(580, "b"), (580, "a")]),
            ("delay", &[(580, "b"), (1080, "a")]),
        ];
        for (kind, expected) in table {
            let fault = match kind {
                "" => String::new(),
                kind => format!(r#"{{"on":"events:deliver","kind":"{kind}","ms":1000,"times":1}}"#),
            };
            let expected: Vec<_> =
                expected.iter().map(|(ms, id)| (*ms, (*id).to_owned())).collect();
            assert_eq!(run(&fault), expected, "{kind}");
        }
    }

    #[test]
    fn what_nothing_overtakes_still_arrives() {
        let out = run(r#"{"on":"events:deliver","kind":"reorder"}"#);
        assert_eq!(out, [(2080, "a".to_owned()), (2580, "b".to_owned())]);
    }
}
