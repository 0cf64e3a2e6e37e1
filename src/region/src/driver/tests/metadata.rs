//! The metadata service over HTTP.

use super::{client, lab};

const TTL: (&str, &str) = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
const MACS: &str = "/latest/meta-data/network/interfaces/macs/";

async fn token(base: &str) -> String {
    let answer = client::call(base, "PUT", "/latest/api/token", &[TTL], "").await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers[TTL.0], TTL.1);
    answer.body
}

async fn get(base: &str, token: &str, path: &str) -> (u16, String) {
    let headers = [("x-aws-ec2-metadata-token", token)];
    let answer = client::call(base, "GET", path, &headers, "").await.expect("an answer");
    (answer.status, answer.body)
}

#[tokio::test]
async fn the_tree_is_there_for_those_with_a_token() {
    let lab = lab("").await;
    let base = lab.running.imds("i-01").expect("a listener");
    let token = token(base).await;
    let of_interface = |leaf: &str| format!("{MACS}02:00:00:00:00:01/{leaf}");
    for (path, body) in [
        ("/latest/meta-data/instance-id".to_owned(), "i-01"),
        ("/latest/meta-data/mac".to_owned(), "02:00:00:00:00:01"),
        ("/latest/meta-data/local-ipv4".to_owned(), "127.0.0.11"),
        ("/latest/meta-data/placement/availability-zone".to_owned(), "us-east-1a"),
        (MACS.to_owned(), "02:00:00:00:00:01/"),
        (of_interface("interface-id"), "eni-01"),
        (of_interface("local-ipv4s"), "127.0.0.11\n127.0.0.100"),
        (of_interface("subnet-id"), "subnet-0a"),
        (of_interface("subnet-ipv4-cidr-block"), "127.0.0.0/24"),
        (of_interface("device-number"), "0"),
        ("/latest/meta-data/events/maintenance/scheduled".to_owned(), "[]"),
        ("/latest/meta-data/autoscaling/target-lifecycle-state".to_owned(), "InService"),
        ("/latest/meta-data/iam/security-credentials/".to_owned(), "vipward-node"),
    ] {
        assert_eq!(get(base, &token, &path).await, (200, body.to_owned()), "{path}");
    }
    let (status, role) =
        get(base, &token, "/latest/meta-data/iam/security-credentials/vipward-node").await;
    assert!(status == 200 && role.contains("\"AccessKeyId\":\"ASIA01\""), "{role}");
    for path in ["spot/instance-action", "events/recommendations/rebalance", "public-keys"] {
        assert_eq!(get(base, &token, &format!("/latest/meta-data/{path}")).await.0, 404, "{path}");
    }
    lab.running.stop().await;
}

#[tokio::test]
async fn without_a_token_of_its_own_an_instance_gets_nothing() {
    let lab = lab("").await;
    let base = lab.running.imds("i-01").expect("a listener");
    let other = token(lab.running.imds("i-02").expect("a listener")).await;
    for wrong in ["", "made-up", other.as_str()] {
        assert_eq!(get(base, wrong, "/latest/meta-data/mac").await.0, 401, "{wrong}");
    }
    for (headers, status) in [
        (vec![], 400),
        (vec![(TTL.0, "0")], 400),
        (vec![(TTL.0, "21601")], 400),
        (vec![TTL, ("x-forwarded-for", "10.0.0.1")], 403),
    ] {
        let answer = client::call(base, "PUT", "/latest/api/token", &headers, "").await;
        assert_eq!(answer.expect("an answer").status, status, "{headers:?}");
    }
    lab.running.stop().await;
}

#[tokio::test]
async fn a_stopped_instance_and_a_fault_are_silence_and_an_error() {
    let lab = lab("").await;
    let base = lab.running.imds("i-01").expect("a listener");
    let fault =
        r#"[{"on":"imds:GetMetadata","kind":"error","code":"Throttled","status":503,"times":1}]"#;
    lab.control("POST", "faults", fault).await;
    let token = token(base).await;
    assert_eq!(get(base, &token, "/latest/meta-data/mac").await.0, 503);
    assert_eq!(get(base, &token, "/latest/meta-data/mac").await.0, 200);
    lab.control("POST", "instances/i-01/state", r#"{"state":"stopped"}"#).await;
    assert!(client::call(base, "GET", "/latest/meta-data/mac", &[], "").await.is_none());
    lab.running.stop().await;
}

#[tokio::test]
async fn what_is_announced_is_told_to_that_instance_until_it_is_taken_back() {
    let lab = lab("").await;
    let base = lab.running.imds("i-01").expect("a listener");
    let other = lab.running.imds("i-02").expect("a listener");
    let tokens = (token(base).await, token(other).await);
    let path = "/latest/meta-data/spot/instance-action";
    let announce = r#"{"path":"spot/instance-action","text":"soon"}"#;
    lab.control("POST", "instances/i-01/metadata", announce).await;
    assert_eq!(get(base, &tokens.0, path).await, (200, "soon".to_owned()));
    assert_eq!(get(other, &tokens.1, path).await.0, 404);
    lab.control("POST", "instances/i-01/metadata", r#"{"path":"spot/instance-action"}"#).await;
    assert_eq!(get(base, &tokens.0, path).await.0, 404);
    for (instance, body, status) in
        [("i-01", r#"{"path":"mac","text":"02:00"}"#, 400), ("i-99", announce, 404)]
    {
        let refused = lab.control("POST", &format!("instances/{instance}/metadata"), body).await;
        assert_eq!(refused.status, status, "{body}");
    }
    lab.running.stop().await;
}

#[tokio::test]
async fn the_shared_listener_knows_instances_by_their_addresses() {
    let lab = lab("").await;
    let base = lab.running.shared_imds().expect("a listener");
    let path = "/latest/api/token";
    for (source, instance) in
        [("127.0.0.11", "i-01"), ("127.0.0.100", "i-01"), ("127.0.0.12", "i-02")]
    {
        let token = client::call_from(source, base, "PUT", path, &[TTL], "").await;
        let token = [("x-aws-ec2-metadata-token", token.expect("an answer").body)];
        let token = token.each_ref().map(|(name, value)| (*name, value.as_str()));
        let id =
            client::call_from(source, base, "GET", "/latest/meta-data/instance-id", &token, "");
        assert_eq!(id.await.expect("an answer").body, instance, "{source}");
    }
    let nobody = client::call_from("127.0.0.99", base, "PUT", path, &[TTL], "").await;
    assert!(nobody.is_none());
    lab.running.stop().await;
}
