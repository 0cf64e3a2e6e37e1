//! The question to a scripted service on the loopback interface.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use vipward_core::text::chain;

use super::*;

const MACS: &str = "/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01";

fn mac() -> Mac {
    Mac::from_bytes(&[2, 0, 0, 0, 0, 1]).expect("a MAC")
}

fn eni() -> EniId {
    "eni-0a1b2c3d4e5f60001".parse().expect("an ENI")
}

/// A service that answers `200` with the body of the first entry whose path ends like the
/// request's, else with that status; and what it was asked, headers in lower case.
struct Scripted {
    own: OwnAddresses,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn start(answers: &'static [(&'static str, u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut request = String::new();
                while stream.read_line(&mut request).await.is_ok_and(|read| read > 2) {}
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                ear.lock().expect("no panic there").push(request.to_ascii_lowercase());
                let answer = answers.iter().find(|(end, ..)| path.ends_with(end));
                let (_, status, body) = answer.unwrap_or(&("", 404, ""));
                let length = body.len();
                let start = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all(format!("{start}{body}").as_bytes()).await;
            }
        });
        let endpoint = format!("http://{address}").parse().expect("an endpoint");
        Self { own: OwnAddresses::new(endpoint), heard }
    }

    async fn ask(&mut self) -> Result<Vec<String>, String> {
        let answer = self.own.ask(mac(), &eni()).await;
        let strings = |all: BTreeSet<Ipv4Addr>| all.iter().map(ToString::to_string).collect();
        answer.map(strings).map_err(|error| chain(&error))
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().expect("no panic there"))
    }
}

const ID: (&str, u16, &str) = ("/interface-id", 200, "eni-0a1b2c3d4e5f60001");
const TOKEN: (&str, u16, &str) = ("/token", 200, "secret==");

#[tokio::test]
async fn one_token_and_one_look_at_the_interface_serve_many_questions() {
    let addresses = "172.31.0.11\n172.31.0.201";
    let answers = Box::leak(Box::new([TOKEN, ID, ("/local-ipv4s", 200, addresses)]));
    let mut service = Scripted::start(answers).await;
    let want = ["172.31.0.11", "172.31.0.201"].map(ToOwned::to_owned);
    assert_eq!(service.ask().await.expect("an answer"), want);
    let heard = service.heard();
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(heard[0].starts_with("put /latest/api/token "), "{heard:?}");
    assert!(heard[0].contains("\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"), "{heard:?}");
    assert!(heard[1].starts_with(&format!("get {MACS}/interface-id ")), "{heard:?}");
    for request in &heard[1..] {
        assert!(request.contains("\r\nx-aws-ec2-metadata-token: secret==\r\n"), "{request}");
    }

    assert_eq!(service.ask().await.expect("an answer"), want);
    let heard = service.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].starts_with(&format!("get {MACS}/local-ipv4s ")), "{heard:?}");
}

#[tokio::test]
async fn whatever_is_no_answer_is_told() {
    let table: [(&'static [_], &str); 6] = [
        (&[("/token", 503, "")], "answered 503 Service Unavailable about /latest/api/token"),
        (&[TOKEN, ID, ("/local-ipv4s", 503, "")], "answered 503"),
        (&[TOKEN], "answered 404 Not Found about"),
        (&[TOKEN, ID, ("/local-ipv4s", 200, "<html>")], "is not understood"),
        (
            &[TOKEN, ("/interface-id", 200, "eni-09"), ("/local-ipv4s", 200, "1.2.3.4")],
            "the interface with MAC 02:00:00:00:00:01 is eni-09, but the configuration says eni-0a1b2c3d4e5f60001",
        ),
        (&[("/token", 200, "one\ntwo")], "is not understood"),
    ];
    for (answers, want) in table {
        let mut service = Scripted::start(answers).await;
        let said = service.ask().await.expect_err(want);
        assert!(said.contains(want), "{said}");
    }
}

#[tokio::test]
async fn a_refused_token_is_asked_for_anew() {
    let mut service = Scripted::start(&[TOKEN, ("/interface-id", 401, "")]).await;
    for _ in 0..2 {
        service.ask().await.expect_err("it is refused");
        let heard = service.heard();
        assert!(heard[0].starts_with("put /latest/api/token "), "{heard:?}");
        assert_eq!(heard.len(), 2, "{heard:?}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_answer_are_told() {
    let endpoint = "http://127.0.0.1:1".parse().expect("an endpoint");
    let error = OwnAddresses::new(endpoint).ask(mac(), &eni()).await.expect_err("nobody listens");
    assert!(chain(&error).starts_with("cannot reach the instance metadata at 127.0.0.1:1: "));

    let mute = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", mute.local_addr().expect("its address"));
    let mut own = OwnAddresses::new(endpoint.parse().expect("an endpoint"));
    let error = own.ask(mac(), &eni()).await.expect_err("it never answers");
    assert!(matches!(error, Unknown::Imds(ImdsError::Silent)), "{error}");
}
