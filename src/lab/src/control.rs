//! The region's control API, and one AWS call in a host's name, over the plainest HTTP that does.

use std::net::SocketAddrV4;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The region answers from memory: longer than this means that it is gone.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("the region does not answer")]
    Connection(#[from] std::io::Error),
    #[error("the region does not answer within {PATIENCE:?}")]
    TooLate,
    #[error("the region refused {path}: {answer}")]
    Refused { path: String, answer: String },
}

#[derive(Debug, Clone, Copy)]
pub struct Control {
    pub address: SocketAddrV4,
}

impl Control {
    pub async fn add_fault(&self, fault: &Value) -> Result<(), ControlError> {
        self.call("POST", "/_region/faults", &Value::Array(vec![fault.clone()]).to_string()).await
    }

    pub async fn clear_faults(&self) -> Result<(), ControlError> {
        self.call("DELETE", "/_region/faults", "").await
    }

    /// Puts an event on the bus as it is.
    pub async fn put_event(&self, event: &Value) -> Result<(), ControlError> {
        self.call("POST", "/_region/events", &event.to_string()).await
    }

    /// Changes the state of an instance (`running`, `stopped`, `terminated`).
    pub async fn set_state(&self, instance: &str, state: &str) -> Result<(), ControlError> {
        let path = format!("/_region/instances/{instance}/state");
        self.call("POST", &path, &serde_json::json!({ "state": state }).to_string()).await
    }

    /// Announces something in an instance's metadata; `None` takes it back.
    pub async fn announce(
        &self,
        instance: &str,
        path: &str,
        text: Option<&str>,
    ) -> Result<(), ControlError> {
        let body = serde_json::json!({ "path": path, "text": text }).to_string();
        self.call("POST", &format!("/_region/instances/{instance}/metadata"), &body).await
    }

    /// Calls EventBridge's `PutEvents` with an access key, as anything on its host could; whether
    /// that was allowed is for the journal to tell.
    pub async fn put_events(&self, access_key: &str, input: &Value) -> Result<(), ControlError> {
        // The region reads who calls and checks no signature.
        let headers = format!(
            "X-Amz-Target: AWSEvents.PutEvents\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={access_key}/20260102/us-east-1/events/aws4_request\r\n"
        );
        self.exchange("POST", "/", &headers, &input.to_string()).await.map(|_| ())
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> Result<(), ControlError> {
        let headers = "Content-Type: application/json\r\n";
        let answer = self.exchange(method, path, headers, body).await?;
        let status = answer.split_whitespace().nth(1).unwrap_or_default();
        if status.starts_with('2') {
            return Ok(());
        }
        let told = answer.split_once("\r\n\r\n").map_or(answer.as_str(), |(_, body)| body);
        Err(ControlError::Refused {
            path: path.to_owned(),
            answer: format!("{status} {}", reason(told.trim())),
        })
    }

    /// One request and its whole answer; every header ends its line.
    async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<String, ControlError> {
        let (host, length) = (self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let exchanged = tokio::time::timeout(PATIENCE, self.send(&request)).await;
        Ok(exchanged.map_err(|_| ControlError::TooLate)??)
    }

    async fn send(&self, request: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// What a refusal's body says, which is an object with `error`.
fn reason(body: &str) -> String {
    let told: Option<Value> = serde_json::from_str(body).ok();
    let error = told.as_ref().and_then(|told| told["error"].as_str());
    error.unwrap_or(body).to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    async fn region_that_answers(answer: &'static str) -> Control {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("binds");
        let Ok(SocketAddr::V4(address)) = listener.local_addr() else {
            panic!("it was bound to IPv4");
        };
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("connects");
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.expect("reads");
            assert!(request[..read].starts_with(b"POST /_region/"));
            stream.write_all(answer.as_bytes()).await.expect("writes");
        });
        Control { address }
    }

    #[tokio::test]
    async fn a_refusal_says_what_and_why() {
        let control =
            region_that_answers("HTTP/1.1 400 Bad Request\r\n\r\n{\"error\":\"no such kind\"}\n")
                .await;
        let error = control.add_fault(&json!({})).await.expect_err("was refused");
        let told = error.to_string();
        assert!(told.contains("/_region/faults") && told.contains("400 no such kind"), "{told}");
    }

    #[tokio::test]
    async fn any_success_will_do() {
        let control = region_that_answers("HTTP/1.1 204 No Content\r\n\r\n").await;
        control.put_event(&json!({})).await.expect("was taken");
    }
}
