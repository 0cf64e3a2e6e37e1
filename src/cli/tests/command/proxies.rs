//! What a proxy sees of the command.

use std::net::TcpListener;
use std::process::Command;

use crate::lambda::{Answer, answering_once};
use crate::running::{Run, run};

fn ok(body: &str) -> Answer {
    Answer { status: 200, headers: &[], body: body.to_owned() }
}

#[test]
fn neither_credentials_nor_plain_http_go_by_a_proxy() {
    let credentials = r#"{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"example",
        "Token":"t","Expiration":"2099-01-01T00:00:00Z"}"#;
    let (metadata, asked_for_credentials) = answering_once(ok(credentials));
    let answer = r#"{"cluster":"no","now":"2026-01-01T00:00:00Z","config_digest":"0","mode":"act","services":[]}"#;
    let (endpoint, asked) = answering_once(ok(answer));
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", proxy.local_addr().expect("it is bound"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipward"));
    command.args(["status", "--function", "vipward-no-query"]);
    command.env("AWS_ENDPOINT_URL", &endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata + "/credentials");
    for name in ["HTTP_PROXY", "http_proxy"] {
        command.env(name, &url);
    }
    for name in
        ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "NO_PROXY", "no_proxy"]
    {
        command.env_remove(name);
    }
    // No profile of whoever runs the tests.
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(name, "/nowhere");
    }
    let Run { exit_code, stderr, .. } = run(&mut command);
    assert_eq!((exit_code, stderr.as_str()), (Some(0), ""));
    assert_eq!(asked_for_credentials.join().expect("it was asked").0, "/credentials");
    asked.join().expect("the function was asked");
    proxy.set_nonblocking(true).expect("a socket");
    let visit = proxy.accept().expect_err("the proxy was asked");
    assert_eq!(visit.kind(), std::io::ErrorKind::WouldBlock);
}
