//! What people were alerted of, so that they do not hear the same again and again: not while it
//! lasts, and not each time that it comes and goes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::observed::age;

use crate::notice::Alert;

/// How long the same alert about the same subject is not repeated.
const ALERT_REST: Duration = Duration::from_mins(10);
/// How long the subject has to have been well before the same is news again: two scheduled passes.
const WELL_FOR: Duration = Duration::from_mins(2);

/// The alerts that were told, and have not been over for long.
#[derive(Debug, Default)]
pub struct Alerted(BTreeMap<Alert, Told>);

#[derive(Debug)]
struct Told {
    at: Timestamp,
    /// Since when there has been no cause for it.
    well_since: Option<Timestamp>,
}

impl Alerted {
    /// There is cause for this alert. Whether it is worth sending: it is a new one, or was told
    /// long ago.
    pub fn is_news(&mut self, alert: &Alert, now: Timestamp) -> bool {
        self.0.retain(|_, told| !told.is_over(now));
        let Some(told) = self.0.get_mut(alert) else { return true };
        told.well_since = None;
        age(told.at, now) >= ALERT_REST
    }

    /// The alert was sent.
    pub fn told(&mut self, alert: &Alert, now: Timestamp) {
        self.0.insert(alert.clone(), Told { at: now, well_since: None });
    }

    /// The subject gives no cause for any alert now, but for these kinds.
    pub fn settle(&mut self, subject: &str, but: &[&str], now: Timestamp) {
        for (alert, told) in &mut self.0 {
            if alert.subject == subject && !but.contains(&alert.kind.as_str()) {
                told.well_since.get_or_insert(now);
            }
        }
        self.0.retain(|_, told| !told.is_over(now));
    }
}

impl Told {
    /// There has been no cause for so long that it is forgotten.
    fn is_over(&self, now: Timestamp) -> bool {
        self.well_since.is_some_and(|since| age(since, now) >= WELL_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::start;

    fn alert(kind: &str) -> Alert {
        Alert { subject: "redis".to_owned(), kind: kind.to_owned() }
    }

    #[test]
    fn an_alert_is_news_once_until_it_rests() {
        let (mut alerted, alert) = (Alerted::default(), alert("no-candidate"));
        assert!(alerted.is_news(&alert, start()));
        alerted.told(&alert, start());
        assert!(!alerted.is_news(&alert, start()));
        assert!(alerted.is_news(&self::alert("holder-suspect"), start()), "it is another");
        assert!(alerted.is_news(&alert, start() + ALERT_REST));
    }

    #[test]
    fn it_is_news_again_when_its_subject_was_well_for_a_while() {
        let (mut alerted, alert) = (Alerted::default(), alert("no-candidate"));
        let moment = Duration::from_secs(1);
        alerted.told(&alert, start());
        alerted.settle("redis", &[], start());
        assert!(!alerted.is_news(&alert, start() + moment), "it came and went");
        alerted.settle("redis", &[], start() + moment);
        alerted.settle("redis", &[], start() + WELL_FOR);
        assert!(!alerted.is_news(&alert, start() + WELL_FOR), "well for less");
        alerted.settle("redis", &[], start());
        for _ in 0..2 {
            assert!(alerted.is_news(&alert, start() + WELL_FOR), "until somebody was told");
        }
    }

    #[test]
    fn of_two_that_take_turns_each_is_told_once_and_what_is_over_is_forgotten() {
        let mut alerted = Alerted::default();
        let (one, other) = (alert("no-candidate"), alert("holder-suspect"));
        for second in 0..4 {
            let now = start() + Duration::from_secs(second);
            let kind = if second % 2 == 0 { &one } else { &other };
            alerted.settle("redis", &[&kind.kind], now);
            assert_eq!(alerted.is_news(kind, now), second < 2);
            if second < 2 {
                alerted.told(kind, now);
            }
        }
        alerted.settle("mysql", &[], start());
        assert_eq!(alerted.0.len(), 2, "it is another subject");
        alerted.settle("redis", &[], start() + WELL_FOR);
        alerted.settle("redis", &[], start() + WELL_FOR * 2);
        assert!(alerted.0.is_empty());
    }
}
