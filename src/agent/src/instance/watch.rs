//! The driver of what the instance's metadata say: looks when it is time, and passes news on.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use vipward_core::EniId;
use vipward_observe::interruptions::{Notice, Notices};
use vipward_observe::ports::{Metadata, MetadataError};

use crate::host::clock::Clock;
use crate::instance::own_interface::OwnInterface;

/// From one look at the addresses to the next.
const LOOK: Duration = Duration::from_secs(1);

/// News of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The addresses of the interface, by a look that began then.
    Addresses(Timestamp, Result<BTreeSet<Ipv4Addr>, MetadataError>),
    /// The instance's end is near for that reason, or no longer.
    Leaving(Option<String>),
}

/// Looks until nobody listens any more.
pub async fn watch_metadata(
    mut metadata: impl Metadata,
    eni: EniId,
    clock: Clock,
    news: mpsc::Sender<News>,
) {
    let mut notices = Notices::new(clock.now());
    let mut interface = OwnInterface::default();
    let mut next_look = clock.now();
    let mut told = None;
    loop {
        let due = notices.deadline().map_or(next_look, |notice| notice.min(next_look));
        clock.sleep_until(Some(due)).await;
        let now = clock.now();
        if next_look <= now {
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
    async fn notices_and_addresses_come_by_themselves_while_somebody_listens() {
        let tree = Tree::of(&[("autoscaling/target-lifecycle-state", "Terminated")]);
        let (tell, mut news) = mpsc::channel(1);
        let eni = "eni-0a1b2c3d4e5f60001".parse().expect("an id");
        let watching = watch_metadata(tree, eni, Clock::start(), tell);
        let listening = async {
            let leaving = News::Leaving(Some("Auto Scaling: Terminated".to_owned()));
            assert!(matches!(news.recv().await, Some(News::Addresses(_, Err(_)))));
            assert_eq!(news.recv().await, Some(leaving));
            drop(news);
        };
        tokio::join!(watching, listening);
    }
}
