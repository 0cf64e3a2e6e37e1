//! What a proxy sees of an agent.

use crate::harness::Running;
use crate::metadata::{ADDRESSES, Metadata};

#[test]
fn neither_metadata_nor_credentials_go_by_a_proxy() {
    let metadata = Metadata::serve();
    metadata.set(ADDRESSES, "127.77.0.21");
    // On an instance of its own that is about to be interrupted.
    let proxy = Metadata::serve();
    let notice = r#"{"action": "terminate", "time": "2020-01-01T00:00:00Z"}"#;
    proxy.set("spot/instance-action", notice);
    let proxied = ["HTTP_PROXY", "http_proxy"].map(|name| (name, proxy.endpoint()));
    let aws = [("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")];
    let environment = [&metadata.environment()[..], &proxied, &aws].concat();
    let agent = Running::start(1, &environment);
    agent.tells("READY=1");
    metadata.is_asked("spot/instance-action");
    metadata.is_asked("iam/security-credentials");
    agent.logs("metrics failed");
    assert!(!proxy.was_asked(), "the proxy's own metadata are those of another instance");
    assert_eq!(agent.terminate(), Some(0));
}
