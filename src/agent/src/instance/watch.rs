//! The driver of what the instance's metadata say: looks when it is time, and passes news on.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use vipward_core::EniId;
use vipward_observe::interruptions::{Notice, Notices};
use vipward_observe::ports::{Metadata, MetadataError};

use crate::host::clock::Clock;
use crate::instance::own_interface::OwnInterface;

/// From one look at the addresses to the next, while they matter.
const LOOK: Duration = Duration::from_secs(1);

/// News of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The addresses of the interface, by a look that began then.
    Addresses(Timestamp, Result<BTreeSet<Ipv4Addr>, MetadataError>),
    /// The instance's end is near for that reason, or no longer.
    Leaving(Option<String>),
}

/// Looks until nobody listens any more. `wanted`: whether the addresses matter at present.
pub async fn watch_metadata(
    mut metadata: impl Metadata,
    eni: EniId,
    clock: Clock,
    mut wanted: watch::Receiver<bool>,
    news: mpsc::Sender<News>,
) {
    let mut notices = Notices::new(clock.now());
    let mut interface = OwnInterface::default();
    let mut next_look = clock.now();
    let mut told = None;
    loop {
        let look = wanted.borrow_and_update().then_some(next_look);
        let due = look.into_iter().chain(notices.deadline()).min();
        tokio::select! {
            () = clock.sleep_until(due) => {}
            changed = wanted.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            }
        }
        let now = clock.now();
        if look.is_some_and(|look| look <= now) {
            next_look = now + LOOK;
            let found = interface.addresses(&eni, &mut metadata).await;
            if news.send(News::Addresses(now, found)).await.is_err() {
                return;
            }
        }
        if let Some(due) = notices.poll(now) {
            look_at(&due, &mut notices, &mut metadata).await;
        }
        let reason = notices.reason(clock.now()).map(str::to_owned);
        if reason != told {
            told.clone_from(&reason);
            if news.send(News::Leaving(reason)).await.is_err() {
                return;
            }
        }
    }
}

async fn look_at(due: &[Notice], notices: &mut Notices, metadata: &mut impl Metadata) {
    for notice in due {
        let answer = metadata.get(notice.path()).await;
        if let Some(fault) = notices.done(*notice, &answer) {
            tracing::warn!(path = notice.path(), %fault, "instance metadata not understood");
        }
        // Where the first is not answered, nobody is there: one time-out is enough.
        if answer.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::own_interface::tests::Tree;

    #[tokio::test]
    async fn notices_come_by_themselves_and_addresses_when_they_matter() {
        let tree = Tree::of(&[("autoscaling/target-lifecycle-state", "Terminated")]);
        let (want, wanted) = watch::channel(false);
        let (tell, mut news) = mpsc::channel(1);
        let eni = "eni-0a1b2c3d4e5f60001".parse().expect("an id");
        let watching = watch_metadata(tree, eni, Clock::start(), wanted, tell);
        let listening = async {
            let leaving = News::Leaving(Some("Auto Scaling: Terminated".to_owned()));
            assert_eq!(news.recv().await, Some(leaving));
            want.send_replace(true);
            assert!(matches!(news.recv().await, Some(News::Addresses(_, Err(_)))));
            drop(want);
        };
        tokio::join!(watching, listening);
    }
}
