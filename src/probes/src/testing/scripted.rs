//! Peers for the tests: real sockets on loopback that do one thing.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vipward_core::config::{Check, CheckKind};

use crate::testing::certificates::Certified;
use crate::wire::Wire;

/// What the peer does with each connection.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Reads for ever and says nothing.
    Silence,
    /// Hangs up at once.
    HangUp,
    /// Answers each request with the next text, then reads for ever.
    Answers(Vec<&'static str>),
    /// Answers the first request with the text, then hangs up.
    AnswerThenHangUp(&'static str),
    /// Answers the first request with the text, then with zeros for ever.
    Endless(&'static str),
    /// Says the first at once and each further one to a request, then reads for ever.
    Packets(Vec<Vec<u8>>),
}

/// Serves the script on a free port for the life of the test's runtime.
pub(crate) async fn serve(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(play(script.clone(), Box::new(stream)));
        }
    });
    address
}

/// The same behind TLS.
pub(crate) async fn serve_tls(script: Script, by: &Certified) -> SocketAddr {
    let acceptor = by.acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), script.clone());
            tokio::spawn(async move {
                // A probe that does not trust us is gone by now.
                if let Ok(stream) = acceptor.accept(stream).await {
                    play(script, Box::new(stream)).await;
                }
            });
        }
    });
    address
}

/// A port that nobody listens on.
pub(crate) async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("bound")
}

/// A check with a timeout that a scripted peer on a busy machine meets.
pub(crate) fn check(kind: CheckKind) -> Check {
    let interval = Duration::from_secs(1);
    Check {
        kind,
        port: Some(1),
        interval,
        confirm: Duration::from_millis(100),
        timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(5),
        rise: 1,
        fall: 1,
    }
}

async fn play(script: Script, mut stream: Wire) {
    match script {
        Script::Silence => {}
        Script::HangUp => return,
        Script::Answers(answers) => {
            for answer in answers {
                request(&mut stream).await;
                say(&mut stream, answer.as_bytes()).await;
            }
        }
        Script::AnswerThenHangUp(answer) => {
            request(&mut stream).await;
            say(&mut stream, answer.as_bytes()).await;
            return;
        }
        Script::Endless(answer) => {
            request(&mut stream).await;
            say(&mut stream, answer.as_bytes()).await;
            while stream.write_all(&[b'0'; 4096]).await.is_ok() {}
        }
        Script::Packets(packets) => {
            for (number, packet) in packets.iter().enumerate() {
                if number > 0 {
                    request(&mut stream).await;
                }
                say(&mut stream, packet).await;
            }
        }
    }
    while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
}

async fn request(stream: &mut Wire) {
    // The probes' requests fit one segment, so one read is one request.
    let _read = stream.read(&mut [0; 1024]).await;
}

async fn say(stream: &mut Wire, bytes: &[u8]) {
    // The probe may be gone already: that is its right.
    let _written = stream.write_all(bytes).await;
    let _flushed = stream.flush().await;
}
