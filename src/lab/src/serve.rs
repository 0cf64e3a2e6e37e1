//! The built-in service: answers every line with the name of the node it runs on.

use std::net::SocketAddrV4;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Serves until the process ends.
///
/// # Errors
/// `listen` cannot be bound.
pub async fn serve(name: &str, listen: SocketAddrV4) -> std::io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    loop {
        // A connection that broke before it was taken is its client's affair.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, format!("{name}\n")));
        }
    }
}

async fn answer(stream: TcpStream, name: String) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while matches!(stream.read_line(&mut line).await, Ok(1..)) {
        line.clear();
        if stream.write_all(name.as_bytes()).await.is_err() {
            return;
        }
    }
}
