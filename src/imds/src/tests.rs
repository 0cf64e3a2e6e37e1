//! The client against a scripted service on the loopback interface.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;

const ID: &str = "/latest/meta-data/instance-id";

/// Answers the token and then each path with that status and body; and what it was asked.
async fn scripted(status: u16, body: &'static str) -> (Imds, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut request = String::new();
            while stream.read_line(&mut request).await.is_ok_and(|read| read > 2) {}
            let is_token = request.starts_with("PUT /latest/api/token ");
            ear.lock().expect("no panic there").push(request.to_ascii_lowercase());
            let (status, body) = if is_token { (200, "secret==") } else { (status, body) };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (Imds::new(format!("http://{address}").parse().expect("an endpoint")), heard)
}

fn lines(heard: &Mutex<Vec<String>>) -> Vec<String> {
    let heard = std::mem::take(&mut *heard.lock().expect("no panic there"));
    heard.iter().filter_map(|request| Some(request.split(" http/").next()?.to_owned())).collect()
}

#[tokio::test]
async fn one_token_serves_many_questions() {
    let (mut imds, heard) = scripted(200, "i-0a1b2c3d").await;
    assert_eq!(imds.get(ID).await.expect("an answer"), "i-0a1b2c3d");
    let request = heard.lock().expect("no panic there").last().cloned().expect("two requests");
    assert!(request.contains("\r\nx-aws-ec2-metadata-token: secret==\r\n"), "{request}");
    assert_eq!(lines(&heard), ["put /latest/api/token", "get /latest/meta-data/instance-id"]);
    imds.get(ID).await.expect("an answer");
    assert_eq!(lines(&heard), ["get /latest/meta-data/instance-id"]);
}

#[tokio::test]
async fn a_status_is_told_and_a_refused_token_asked_for_anew() {
    for (code, requests) in [(404, 1), (401, 2)] {
        let (mut imds, heard) = scripted(code, "").await;
        for _ in 0..2 {
            let error = imds.get(ID).await.expect_err("it is refused");
            let told = matches!(&error, ImdsError::Status { what, status }
                if what == ID && status.as_u16() == code);
            assert!(told, "{error}");
        }
        assert_eq!(lines(&heard)[2..].len(), requests, "{code}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_none() {
    let (mut imds, _) = scripted(200, Box::leak("x".repeat(MOST_BYTES + 1).into())).await;
    assert!(matches!(imds.get(ID).await, Err(ImdsError::Garbled(_))));
}

#[tokio::test]
async fn nobody_there_and_no_answer_are_told() {
    let mut imds = Imds::new("http://127.0.0.1:1".parse().expect("an endpoint"));
    assert!(matches!(imds.get(ID).await, Err(ImdsError::Unreachable { .. })));
    let mute = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", mute.local_addr().expect("its address"));
    let mut imds = Imds::new(endpoint.parse().expect("an endpoint"));
    assert!(matches!(imds.get(ID).await, Err(ImdsError::Silent)));
}
