//! A real PostgreSQL for the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use vipward_core::config::CheckKind;

use crate::testing::certificates::{Authority, Certified};
use crate::testing::daemon::{Daemon, Template, as_user, free_address, give_to, run};
use crate::testing::scratch::fresh_directory;

const USER: &str = "postgres";
const NEEDED: &str = "the package postgresql";
/// Of the owner, `postgres`, and of the probing user, `vipward`.
pub(crate) const PASSWORD: &str = "right";

/// Starts a primary and waits until it answers.
pub(crate) async fn start() -> Daemon {
    start_with(&[]).await
}

/// Starts one that does TLS, with what an authority has certified.
pub(crate) async fn start_tls(authority: &Authority, by: &Certified) -> Daemon {
    give_to(USER, &authority.directory);
    let file = |name: &str, path: &Path| format!("{name}={}", path.display());
    let (certificate, key) =
        (file("ssl_cert_file", &by.certificate), file("ssl_key_file", &by.key));
    start_with(&["-c", "ssl=on", "-c", &certificate, "-c", &key]).await
}

async fn start_with(arguments: &[&str]) -> Daemon {
    let template = template();
    let fill = async |directory: &Path| template.copy(&directory.join("data"));
    let server = serve(fill, arguments).await;
    sql(&server, &format!("CREATE ROLE vipward LOGIN PASSWORD '{PASSWORD}'"));
    server
}

/// Starts a standby of the primary and waits until it answers.
pub(crate) async fn start_standby(primary: &Daemon) -> Daemon {
    let fill = async |directory: &Path| {
        let mut command = as_user(USER, program("pg_basebackup"));
        command
            .args(["--host=127.0.0.1", "--username=postgres", "--write-recovery-conf"])
            .args(["--checkpoint=fast", "--no-sync"])
            .arg(format!("--port={}", primary.address.port()))
            .arg(format!("--pgdata={}", directory.join("data").display()))
            .env("PGPASSWORD", PASSWORD)
            .current_dir(directory);
        run(&mut command);
    };
    serve(fill, &[]).await
}

/// Runs statements as the server's owner, and returns what they say.
pub(crate) fn sql(server: &Daemon, statements: &str) -> String {
    let mut command = Command::new(program("psql"));
    command
        .args([
            "--no-psqlrc",
            "--tuples-only",
            "--host=127.0.0.1",
            "--username=postgres",
            "--command",
            statements,
        ])
        .arg(format!("--port={}", server.address.port()))
        .env("PGPASSWORD", PASSWORD);
    run(&mut command)
}

async fn serve(fill: impl AsyncFn(&Path), arguments: &[&str]) -> Daemon {
    // A login without a password is refused: it answers.
    let user = "vipward".to_owned();
    let database = "postgres".to_owned();
    let kind =
        CheckKind::Postgres { user, password_file: None, database, max_lag: None, tls: None };
    Daemon::answering(&kind, async || {
        let (directory, address) = (fresh_directory("postgres"), free_address().await);
        give_to(USER, &directory);
        fill(&directory).await;
        let mut command = as_user(USER, program("postgres"));
        command
            .arg("-D")
            .arg(directory.join("data"))
            .args(["-p", &address.port().to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "fsync=off"])
            .args(["-c", "shared_buffers=4MB", "-c", "wal_retrieve_retry_interval=100ms"])
            .args(arguments);
        let mut server = Daemon::spawn(&mut command, NEEDED, address, directory);
        // Killed outright it would leave shared memory behind.
        server.end_signal = "QUIT";
        server
    })
    .await
}

/// Debian keeps the programs of each version in a directory of its own.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

/// Shared by the tests that run at the same time, and removed by the last of them.
fn template() -> Arc<Template> {
    static SHARED: Mutex<Weak<Template>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = shared.upgrade() {
        return template;
    }
    let template = Arc::new(Template::new(USER, |directory| {
        let password_file = directory.with_extension("password");
        std::fs::write(&password_file, PASSWORD).expect("a writable temporary directory");
        let mut command = as_user(USER, program("initdb"));
        command
            .args(["--username=postgres", "--auth=scram-sha-256", "--no-sync", "--locale=C"])
            .arg(format!("--pwfile={}", password_file.display()))
            .arg(format!("--pgdata={}", directory.display()))
            .current_dir(directory);
        run(&mut command);
        std::fs::remove_file(password_file).expect("our own file");
    }));
    *shared = Arc::downgrade(&template);
    template
}
