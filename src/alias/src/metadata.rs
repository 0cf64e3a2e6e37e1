//! Asks the instance metadata again and again, beside the unit's loop, so that a slow answer holds
//! nothing up and events cannot starve a question.

use tokio::sync::{mpsc, watch};
use vipward_core::knowledge::Answer;
use vipward_core::text::chain;
use vipward_imds::Endpoint;
use vipward_upkeep::pace::Questions;
use vipward_upkeep::subject::Subject;

use crate::own_addresses::OwnAddresses;

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
        tokio::spawn(ask(OwnAddresses::new(endpoint), subjects, give));
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
    mut own: OwnAddresses,
    mut subjects: watch::Receiver<Option<Subject>>,
    answers: mpsc::Sender<(Subject, Answer)>,
) {
    let mut questions = Questions::default();
    loop {
        let subject = subjects.borrow_and_update().clone();
        let Some(subject) = subject else {
            if subjects.changed().await.is_err() {
                return;
            }
            continue;
        };
        let answer = match own.ask(subject.mac, &subject.eni).await {
            Ok(addresses) => Answer::Addresses(addresses),
            Err(error) => Answer::Unknown(chain(&error)),
        };
        let wait = questions.after(&answer);
        if answers.send((subject, answer)).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = subjects.changed() => if changed.is_err() { return },
        }
    }
}
