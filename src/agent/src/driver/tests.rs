//! The whole agent but for AWS: real sockets on loopback, a recording outlet.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use vipward_core::Verdict;
use vipward_observe::status::Status;

use super::*;
use crate::instance::own_interface::tests::Tree;
use crate::lifecycle::Files;

/// A pair with a witness.
pub(crate) fn config(port: u16) -> Config {
    let text =
        include_str!("../../../observe/fixtures/pair.toml").replace("PORT", &port.to_string());
    Config::parse("test", &text).expect("a good file")
}

/// The file that a reload finds: node `b` has gone.
fn without_b(config: &Config) -> Config {
    let mut config = config.clone();
    config.nodes.retain(|node| node.name.as_str() != "b");
    config
}

/// Records what is said; fails each time where told to.
struct Recorder {
    metrics: mpsc::UnboundedSender<Vec<Datum>>,
    hints: mpsc::UnboundedSender<Hint>,
    fails: bool,
}

impl Recorder {
    fn answer(&self) -> Result<(), SendError> {
        if self.fails { Err(SendError::NoRegion) } else { Ok(()) }
    }
}

impl Outlet for Recorder {
    async fn publish(&self, data: &[Datum]) -> Result<(), SendError> {
        self.metrics.send(data.to_vec()).expect("the test listens");
        self.answer()
    }

    async fn hint(&self, hint: &Hint) -> Result<(), SendError> {
        self.hints.send(hint.clone()).expect("the test listens");
        self.answer()
    }
}

/// A service that accepts and holds its connections until it is stopped.
struct Service {
    task: JoinHandle<()>,
}

impl Service {
    async fn start(address: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind(address).await.expect("a free port on loopback");
        let bound = listener.local_addr().expect("bound");
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
                });
            }
        });
        (Self { task }, bound)
    }

    async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.expect_err("it was aborted").is_cancelled());
    }
}

struct Agent {
    metrics: mpsc::UnboundedReceiver<Vec<Datum>>,
    hints: mpsc::UnboundedReceiver<Hint>,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Result<(), WatchEnded>>,
}

impl Agent {
    fn start(me: &str, port: u16, fails: bool) -> Self {
        let (metrics_in, metrics) = mpsc::unbounded_channel();
        let (hints_in, hints) = mpsc::unbounded_channel();
        let (orders, asked) = mpsc::channel(1);
        let (config, me) = (config(port), me.parse().expect("a name"));
        let task = tokio::task::spawn_local(async move {
            let clock = Clock::start();
            let reporter = Reporter::new(&config, &me, "start".to_owned(), clock.now());
            let outlet = Recorder { metrics: metrics_in, hints: hints_in, fails };
            let nothing = None::<Tree>;
            let files = Files { memory: None, alias_report: "/nonexistent/alias.json".into() };
            let lifecycle = Lifecycle::start(&config, &me, clock, nothing, files);
            run(&config, reporter, lifecycle, clock, &outlet, asked, || Ok(without_b(&config)))
                .await
        });
        Self { metrics, hints, orders, task }
    }

    /// Waits until the metrics say that; keys are the subjects, `None` for the agent's own.
    async fn publishes(&mut self, expected: &[(Option<&str>, bool)]) {
        let expected: BTreeMap<_, _> =
            expected.iter().map(|(subject, up)| (subject.map(str::to_owned), *up)).collect();
        loop {
            let data = self.metrics.recv().await.expect("the agent runs");
            let seen: BTreeMap<_, _> = data
                .into_iter()
                .map(|datum| (datum.subject.map(|name| name.to_string()), datum.value >= 1.0))
                .collect();
            if seen == expected {
                return;
            }
        }
    }

    async fn hints(&mut self) -> Hint {
        self.hints.recv().await.expect("the agent runs")
    }

    async fn order(&self, order: Order) {
        self.orders.send(order).await.expect("the agent runs");
    }

    async fn tells(&self) -> Status {
        let (to, told) = oneshot::channel();
        self.order(Order::Ask(Request::Status, to)).await;
        told.await.expect("the agent answers").expect("it refuses nobody")
    }

    async fn stop(self) {
        self.order(Order::Stop).await;
        assert_eq!(self.task.await.expect("no panic"), Ok(()));
    }
}

fn verdict_on(hint: &Hint, subject: &str) -> Verdict {
    let seen = hint.observations.iter().find(|seen| seen.subject.as_str() == subject);
    seen.expect("the whole view").verdict
}

/// Runs the test with services on both nodes, within a bound that is shorter than any interval.
fn with_services<F: Future<Output = ()>>(test: impl FnOnce(u16, Service, Service) -> F) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let (a, bound) = Service::start("127.77.0.11:0".parse().expect("an address")).await;
        let port = bound.port();
        let (b, _) = Service::start(SocketAddr::from(([127, 77, 0, 12], port))).await;
        let bound = Duration::from_secs(30);
        tokio::time::timeout(bound, test(port, a, b)).await.expect("done before the next interval");
    });
}

#[test]
fn the_death_of_a_peers_service_is_noticed_without_waiting_for_the_interval() {
    with_services(|port, _a, b| async move {
        let mut agent = Agent::start("a", port, false);
        agent.publishes(&[(None, true), (Some("b"), true)]).await;
        b.stop().await;
        let hint = agent.hints().await;
        assert_eq!(verdict_on(&hint, "b"), Verdict::Unhealthy);
        assert_eq!(verdict_on(&hint, "a"), Verdict::Healthy);
        assert_eq!((hint.sequence, hint.start_id.as_str()), (1, "start"));
        agent.publishes(&[(None, true), (Some("b"), false)]).await;
        let again = agent.hints().await;
        assert_eq!(again.sequence, 2, "trouble lasts and is told again");
        agent.stop().await;
    });
}

#[test]
fn the_death_of_an_own_service_is_noticed_too() {
    with_services(|port, a, _b| async move {
        let mut agent = Agent::start("a", port, false);
        agent.publishes(&[(None, true), (Some("b"), true)]).await;
        a.stop().await;
        assert_eq!(verdict_on(&agent.hints().await, "a"), Verdict::Unhealthy);
        agent.publishes(&[(None, false), (Some("b"), true)]).await;
        agent.stop().await;
    });
}

#[test]
fn a_witness_speaks_of_others_only() {
    with_services(|port, _a, _b| async move {
        let mut agent = Agent::start("w", port, false);
        agent.publishes(&[(Some("a"), true), (Some("b"), true)]).await;
        agent.stop().await;
    });
}

#[test]
fn an_agent_that_nobody_hears_works_on() {
    with_services(|port, _a, b| async move {
        let mut agent = Agent::start("a", port, true);
        agent.publishes(&[(None, true), (Some("b"), true)]).await;
        b.stop().await;
        assert_eq!(agent.hints().await.sequence, 1);
        assert_eq!(agent.hints().await.sequence, 2, "a hint that failed is followed by another");
        agent.publishes(&[(None, true), (Some("b"), false)]).await;
        agent.stop().await;
    });
}

#[test]
fn what_a_reload_leaves_is_known_as_before_and_what_it_drops_is_forgotten() {
    with_services(|port, _a, b| async move {
        let mut agent = Agent::start("a", port, false);
        agent.publishes(&[(None, true), (Some("b"), true)]).await;
        b.stop().await;
        agent.publishes(&[(None, true), (Some("b"), false)]).await;
        let before = agent.tells().await;
        assert_eq!((before.targets.len(), before.metrics.failed), (2, 0));
        assert!(before.metrics.sent > 0 && before.metrics.last_sent <= Some(before.now));
        agent.order(Order::Reload).await;
        let after = agent.tells().await;
        let known = |status: &Status| {
            let of_a = &status.targets[0];
            (of_a.subject.clone(), of_a.verdict, of_a.since)
        };
        assert_eq!((after.targets.len(), known(&after)), (1, known(&before)));
        assert!(after.targets[0].probe_us.is_some(), "it was probed");
        assert_ne!(after.config_digest, before.config_digest);
        agent.stop().await;
    });
}
