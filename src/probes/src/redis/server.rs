//! A real `redis-server` for the tests, on a free port, in a directory of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use vipward_core::config::CheckKind;

use crate::scripted::check;
use crate::{Shortfall, probe};

/// Starts tried when another process takes the port first.
const TRIES: usize = 5;

/// A running server; killed when dropped.
pub(super) struct RedisServer {
    process: Child,
    directory: PathBuf,
    pub address: SocketAddr,
}

impl RedisServer {
    /// Starts one with further arguments and waits until it answers.
    pub async fn start(arguments: &[&str]) -> Self {
        for _ in 0..TRIES {
            let mut server = Self::spawn(arguments).await;
            if server.answers().await {
                return server;
            }
        }
        panic!("redis-server did not start on {TRIES} free ports");
    }

    async fn spawn(arguments: &[&str]) -> Self {
        let directory = fresh_directory();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(&directory)
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server must be installed for this test: apt-get install redis-server");
        Self { process, directory, address }
    }

    /// Until it answers in whatever way, or its process has ended (the port was taken).
    async fn answers(&mut self) -> bool {
        let kind = CheckKind::Redis { user: None, password_file: None };
        loop {
            match probe(self.address, &check(kind.clone())).await {
                Ok(_) | Err(Shortfall::Error(_)) => {
                    return matches!(self.process.try_wait(), Ok(None));
                }
                Err(_) if !matches!(self.process.try_wait(), Ok(None)) => return false,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// A file in the server's directory.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.join(name);
        std::fs::write(&path, content).expect("a writable directory");
        path
    }

    /// Ends the process and waits for its end.
    pub fn stop(&mut self) {
        self.process.kill().expect("our own child");
        self.process.wait().expect("our own child");
    }

    /// Sends a signal such as `STOP`.
    pub fn signal(&self, name: &str) {
        // The shell's own kill: present wherever a shell is.
        let command = format!("kill -{name} {}", self.process.id());
        let status = Command::new("sh").args(["-c", &command]).status().expect("a shell");
        assert!(status.success(), "{command}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Ended already by `stop`, or ended here: nothing more to do about a failure.
        let _killed = self.process.kill();
        let _waited = self.process.wait();
        let _removed = std::fs::remove_dir_all(&self.directory);
    }
}

fn fresh_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("vipward-redis-{}-{number}", std::process::id());
    let directory = Path::new(&std::env::temp_dir()).join(name);
    std::fs::create_dir_all(&directory).expect("a writable temporary directory");
    directory
}
