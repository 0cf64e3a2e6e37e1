//! The Unix socket on which the agent is asked: see [`vipward_observe::requests`].

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use vipward_observe::requests::{Refusal, Request};

use crate::failure::Failure;
use crate::local_api::orders::{Order, ask};
use crate::options::{DEFAULT_SOCKET, PathChoice};

/// Its owner and group may ask.
const MODE: u32 = 0o660;
/// A request comes with the connection; who has none is told the status.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(200);
/// Longer than any request.
const MOST_REQUEST_BYTES: u64 = 4096;
/// One is answered at a time: a client that does not read may hold the others up so long.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Without free descriptors each accept fails at once: pause rather than spin.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// A listening socket whose file goes when it does.
pub struct StatusSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl StatusSocket {
    /// Opens what was chosen. The default is a convenience: where it cannot be made, the agent
    /// says so and works on.
    ///
    /// # Errors
    /// When a path was named and no socket can be made there.
    pub fn choose(choice: Option<&PathChoice>) -> Result<Option<Self>, Failure> {
        match choice {
            Some(PathChoice::Off) => Ok(None),
            Some(PathChoice::At(path)) => match Self::bind(path) {
                Ok(socket) => Ok(Some(socket)),
                Err(source) => Err(Failure::Socket { path: path.clone(), source }),
            },
            None => {
                let socket = Self::bind(Path::new(DEFAULT_SOCKET));
                if let Err(error) = &socket {
                    tracing::warn!(path = DEFAULT_SOCKET, %error, "status socket not made");
                }
                Ok(socket.ok())
            }
        }
    }

    fn bind(path: &Path) -> io::Result<Self> {
        remove_stale(path)?;
        let socket = Self { listener: UnixListener::bind(path)?, path: path.to_owned() };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE))?;
        Ok(socket)
    }

    /// Answers all who connect with what the agent that takes the orders says.
    pub async fn serve(self, orders: mpsc::Sender<Order>) -> Infallible {
        loop {
            let answered = match self.listener.accept().await {
                Ok((client, _)) => {
                    let late = |late| Err(io::Error::new(io::ErrorKind::TimedOut, late));
                    timeout(ANSWER_TIMEOUT, answer(client, &orders)).await.unwrap_or_else(late)
                }
                Err(error) => {
                    sleep(ACCEPT_PAUSE).await;
                    Err(error)
                }
            };
            if let Err(error) = answered {
                tracing::debug!(%error, "status not told");
            }
        }
    }
}

impl Drop for StatusSocket {
    fn drop(&mut self) {
        // What stays behind is replaced by the next start.
        let _removed = std::fs::remove_file(&self.path);
    }
}

/// Removes a socket that nobody listens on: its agent was killed. One that answers stays, and so
/// does any other file: the bind will refuse.
fn remove_stale(path: &Path) -> io::Result<()> {
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path) => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

/// A plain file refuses connections too.
fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

async fn answer(mut client: UnixStream, orders: &mpsc::Sender<Order>) -> io::Result<()> {
    let mut line = String::new();
    let mut reader = BufReader::new(&mut client).take(MOST_REQUEST_BYTES);
    // Late is as good as none: what was read is no whole line.
    let _late = timeout(REQUEST_TIMEOUT, reader.read_line(&mut line)).await;
    let mut document = match parsed(&line) {
        Ok(request) => match ask(orders, request).await? {
            Ok(status) => serde_json::to_vec(&status)?,
            Err(refusal) => serde_json::to_vec(&refusal)?,
        },
        Err(error) => serde_json::to_vec(&Refusal { refused: format!("not a request: {error}") })?,
    };
    document.push(b'\n');
    client.write_all(&document).await?;
    client.shutdown().await
}

fn parsed(line: &str) -> Result<Request, serde_json::Error> {
    if line.trim().is_empty() { Ok(Request::Status) } else { serde_json::from_str(line) }
}

#[cfg(test)]
mod tests;
