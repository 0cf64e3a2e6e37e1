//! Asks the instance metadata again and again, beside the unit's loop, so that a slow answer holds
//! nothing up and events cannot starve a question.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use vipward_core::EniId;
use vipward_core::text::chain;

use crate::endpoint::Endpoint;
use crate::imds::Imds;
use crate::inventory::Mac;
use crate::knowledge::Answer;

/// From one question to the next: a VIP is on the interface within half a second of the metadata
/// naming it. It costs two requests a second of the 1,024 packets that an interface may send to
/// the instance's services.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest wait after errors, which double it: throttling ends only when asked less.
const LONGEST: Duration = Duration::from_secs(4);

/// Which interface to ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its hardware address, by which the metadata know it.
    pub mac: Mac,
    /// What the file says it is.
    pub eni: EniId,
}

/// The questions, as the unit sees them: it says about whom and hears answers.
pub struct Metadata {
    subject: watch::Sender<Option<Subject>>,
    answers: mpsc::Receiver<(Subject, Answer)>,
}

impl Metadata {
    /// Starts to ask as soon as there is a subject.
    pub fn start(endpoint: Endpoint) -> Self {
        let (subject, subjects) = watch::channel(None);
        let (give, answers) = mpsc::channel(1);
        tokio::spawn(ask(Imds::new(endpoint), subjects, give));
        Self { subject, answers }
    }

    /// Ask about this one from now on.
    pub fn about(&self, subject: Option<Subject>) {
        self.subject.send_if_modified(|current| {
            let news = *current != subject;
            *current = subject;
            news
        });
    }

    /// The next answer about the present subject.
    pub async fn next(&mut self) -> Answer {
        loop {
            match self.answers.recv().await {
                Some((subject, answer)) if Some(&subject) == self.subject.borrow().as_ref() => {
                    return answer;
                }
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }
}

async fn ask(
    mut imds: Imds,
    mut subjects: watch::Receiver<Option<Subject>>,
    answers: mpsc::Sender<(Subject, Answer)>,
) {
    let mut wait = INTERVAL;
    loop {
        let subject = subjects.borrow_and_update().clone();
        let Some(subject) = subject else {
            if subjects.changed().await.is_err() {
                return;
            }
            continue;
        };
        let answer = match imds.addresses(subject.mac, &subject.eni).await {
            Ok(addresses) => Answer::Addresses(addresses),
            Err(error) => Answer::Unknown(chain(&error)),
        };
        wait = next_wait(wait, &answer);
        if answers.send((subject, answer)).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = subjects.changed() => if changed.is_err() { return },
        }
    }
}

fn next_wait(last: Duration, answer: &Answer) -> Duration {
    match answer {
        Answer::Addresses(_) => INTERVAL,
        Answer::Unknown(_) => (last * 2).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_double_the_wait_and_an_answer_ends_that() {
        let failed = || Answer::Unknown("503".to_owned());
        let well = || Answer::Addresses([].into());
        let mut wait = INTERVAL;
        let answers = [failed(), failed(), failed(), failed(), failed(), well(), failed()];
        let waits = answers.map(|answer| {
            wait = next_wait(wait, &answer);
            wait.as_millis()
        });
        assert_eq!(waits, [1000, 2000, 4000, 4000, 4000, 500, 1000]);
    }
}
