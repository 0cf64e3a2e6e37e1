//! Knocks at another host all the time, so that its death is noticed long before the next probe of
//! its services is due. A knock that is not answered is no verdict: it wakes the probes.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use vipward_core::config::CheckKind;
use vipward_probes::Knock;

use vipward_observe::target::Target;

/// Where to knock, and how often.
pub struct Knocking {
    interval: Duration,
    knock: Knock,
}

impl Knocking {
    /// At one port of the host that the targets are on; `None` when that is this host, or has no
    /// port to knock at. Where servers bear knocking well is chosen first; at the port of a command
    /// there may be any server, such as one that takes knocks for an attack.
    pub fn at<'t>(targets: impl Iterator<Item = &'t Target>) -> Option<Self> {
        let known = targets.filter(|target| !matches!(target.check.kind, CheckKind::Exec { .. }));
        let target = known.min_by_key(|target| !Knock::is_light(&target.check.kind))?;
        let interval = target.knock_interval?;
        Some(Self { interval, knock: Knock::at(target.address, &target.check) })
    }

    /// Knocks for ever, and tells each time that an answer is missing for the first time.
    pub async fn keep_on(mut self, silence: watch::Sender<()>) {
        let mut answered = true;
        let mut next = Instant::now();
        loop {
            sleep_until(next).await;
            // What was missed, by a pause of this host, is not made up for.
            next = Instant::now() + self.interval;
            let answers = self.knock.answers().await;
            if answered && !answers {
                silence.send_replace(());
            }
            answered = answers;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;
    use vipward_observe::target::targets;

    /// Node `b`, as `a` sees it.
    fn other(address: SocketAddr) -> Target {
        let config = crate::driver::tests::config(address.port());
        let mut target = targets(&config, &"a".parse().expect("a name")).remove(1);
        target.address = address;
        target
    }

    #[test]
    fn it_knocks_at_others_where_that_is_borne_well() {
        let light = other("127.0.0.1:80".parse().expect("an address"));
        let mut heavy = other("127.0.0.1:3306".parse().expect("an address"));
        let user = "vipward".to_owned();
        heavy.check.kind = CheckKind::Mysql { user, password_file: None, max_lag: None, tls: None };
        let chosen = Knocking::at([&heavy, &light].into_iter()).expect("there is a port");
        assert_eq!(chosen.knock.address(), light.address);
        assert!(Knocking::at([&heavy].into_iter()).is_some());
        let mut none = light.clone();
        none.check.kind = CheckKind::Exec { command: vec!["/bin/true".to_owned()], user: None };
        assert!(Knocking::at([&none].into_iter()).is_none());
        none = Target { knock_interval: None, ..light };
        assert!(Knocking::at([&none].into_iter()).is_none());
    }

    #[tokio::test]
    async fn silence_is_told_once_and_answers_are_not() {
        let open = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let full = TcpSocket::new_v4().expect("a socket");
        full.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let full = full.listen(1).expect("listening");
        // Nobody accepts there: soon the kernel lets nobody in.
        let address = full.local_addr().expect("bound");
        let silent = Knocking::at([&other(address)].into_iter()).expect("another host");
        let answers = other(open.local_addr().expect("bound"));
        let answers = Knocking::at([&answers].into_iter()).expect("another host");
        let (tell, mut told) = watch::channel(());
        let (tell_wrongly, never) = watch::channel(());
        tokio::select! {
            () = silent.keep_on(tell) => unreachable!("for ever"),
            () = answers.keep_on(tell_wrongly) => unreachable!("for ever"),
            changed = told.changed() => changed.expect("the sender is there"),
        }
        assert!(!never.has_changed().unwrap_or(false));
    }
}
