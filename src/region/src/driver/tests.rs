//! The driver over real sockets and processes, with a stand-in for the function's bootstrap.

mod access;
mod client;
mod faults;
mod functions;
mod metadata;

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use vipward_core::text::chain;

use super::Running;
use crate::world::World;
use client::Line;

/// A region of one test and its journal.
struct Lab {
    running: Running,
    journal: mpsc::UnboundedReceiver<Line>,
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// Two instances; retries and throttles come in milliseconds; `extra` goes into `[delays]`.
async fn lab(extra: &str) -> Lab {
    let text = format!(
        r#"
listen = "127.0.0.1:0"
imds = "127.0.0.1:0"
template = "{FIXTURES}/../../region-model/fixtures/template.yaml"
[lambda]
bootstrap = "{FIXTURES}/bootstrap.py"
layer = "{FIXTURES}"
[[subnet]]
id = "subnet-0a"
cidr = "127.0.0.0/24"
[[instance]]
id = "i-01"
eni = "eni-01"
mac = "02:00:00:00:00:01"
subnet = "subnet-0a"
address = "127.0.0.11"
secondaries = ["127.0.0.100"]
imds = "127.0.0.1:0"
[[instance]]
id = "i-02"
eni = "eni-02"
mac = "02:00:00:00:00:02"
subnet = "subnet-0a"
address = "127.0.0.12"
imds = "127.0.0.1:0"
profile = "Profile of a host"
access_key = "AKIAHOST"
[delays]
{extra}
event_delivery = "10ms"
lambda_throttle_first = "20ms"
lambda_error_retry = "20ms"
"#
    );
    let world: World = toml::from_str(&text).expect("a world");
    let (sink, journal) = client::sink();
    let running = Running::start(&world, sink).await.expect("starts");
    Lab { running, journal }
}

impl Lab {
    fn endpoint(&self) -> &str {
        self.running.endpoint()
    }

    /// The next journal line of this kind; fails when none comes for a long time.
    async fn told(&mut self, event: &str) -> Value {
        client::next_of(&mut self.journal, event).await
    }

    async fn control(&self, method: &str, path: &str, body: &str) -> client::Answer {
        let path = format!("/_region/{path}");
        client::call(self.endpoint(), method, &path, &[], body).await.expect("an answer")
    }

    /// Invokes the stand-in; gives its answer and kind of error.
    async fn invoke(&self, event: &str) -> (Value, Option<String>) {
        let answer = self.invoke_as("RequestResponse", "vipward-failover", event).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let error = answer.headers.get("x-amz-function-error").cloned();
        (serde_json::from_str(&answer.body).expect("JSON"), error)
    }

    async fn invoke_as(&self, kind: &str, function: &str, event: &str) -> client::Answer {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let headers = [("x-amz-invocation-type", kind)];
        client::call(self.endpoint(), "POST", &path, &headers, event).await.expect("an answer")
    }
}

#[test]
fn a_world_says_what_aws_leaves_open() {
    let begin = |text: &str| {
        let text = format!(
            "listen = \"127.0.0.1:0\"\n{text}\n[[subnet]]\nid = \"s\"\ncidr = \"10.0.0.0/24\"\n[[instance]]\nid = \"i-01\"\neni = \"eni-01\"\nmac = \"m\"\nsubnet = \"s\"\naddress = \"10.0.0.9\"\nsecondaries = [\"10.0.0.100\"]"
        );
        let world: World = toml::from_str(&text).expect("a world");
        let mut region = world.build(Timestamp::UNIX_EPOCH).expect("begins").region;
        region.ec2.assign("eni-01", &[[10, 0, 0, 100].into()], false, Timestamp::UNIX_EPOCH)
    };
    assert!(begin("").is_ok());
    assert!(begin("[answers]\nassigned_again = \"accepted\"").is_ok());
    assert!(begin("[answers]\nassigned_again = \"refused\"").is_err());
}

#[tokio::test]
async fn a_world_that_is_wrong_is_refused_with_its_reason() {
    let (sink, _journal) = client::sink();
    let unreadable = World::load(Path::new("/nowhere/world.toml")).expect_err("not there");
    assert!(chain(&unreadable).starts_with("cannot read /nowhere/world.toml: "));
    let bad_fault = "listen = \"127.0.0.1:0\"\n[[faults]]\non = \"ec2:*\"\nkind = \"eror\"";
    let error = toml::from_str::<World>(bad_fault).expect_err("no such fault").to_string();
    assert!(error.contains("line 2") && error.contains("fault kind `eror`"), "{error}");
    for (text, wanted) in [
        ("listen = \"127.0.0.1:0\"\ntemplate = \"/nowhere.yaml\"", "cannot read /nowhere.yaml"),
        (
            &format!(
                "listen = \"127.0.0.1:0\"\ntemplate = \"{FIXTURES}/../../region-model/fixtures/template.yaml\""
            ) as &str,
            "needs [lambda]",
        ),
        (
            "listen = \"127.0.0.1:0\"\n[[subnet]]\nid = \"s\"\ncidr = \"10.0.0.0/24\"\n[[instance]]\nid = \"i-01\"\neni = \"eni-01\"\nmac = \"m\"\nsubnet = \"s\"\naddress = \"10.0.0.9\"\nprofile = \"P\"",
            "no output described as \"P\"",
        ),
        (
            "listen = \"127.0.0.1:0\"\n[[instance]]\nid = \"i-01\"\neni = \"eni-01\"\nmac = \"m\"\nsubnet = \"s\"\naddress = \"10.0.0.9\"",
            "instance i-01 does not fit: InvalidSubnetID.NotFound",
        ),
    ] {
        let world: World = toml::from_str(text).expect(wanted);
        let error = world.build(Timestamp::UNIX_EPOCH).expect_err(wanted);
        let error = chain(&error);
        assert!(error.contains(wanted), "{error}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let world: World = toml::from_str(&format!("listen = \"{address}\"")).expect("a world");
    let error = Running::start(&world, sink).await.expect_err("the port is taken");
    assert!(chain(&error).starts_with(&format!("cannot listen on {address}: ")));
}
