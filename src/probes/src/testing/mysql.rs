//! A real MariaDB for the tests.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use vipward_core::config::CheckKind;

use crate::testing::certificates::{Authority, Certified};
use crate::testing::daemon::{Daemon, Template, as_user, free_address, give_to, run};
use crate::testing::scratch::fresh_directory;

const USER: &str = "mysql";
const NEEDED: &str = "the package mariadb-server";

/// Not in the binary log: each server makes its users itself. `seer` may see the replication,
/// `blind` may not, `open` has no password.
const ACCOUNTS: &str = "\
SET sql_log_bin = 0;
CREATE USER seer@'%' IDENTIFIED BY 'right';
GRANT SLAVE MONITOR ON *.* TO seer@'%';
CREATE USER blind@'%' IDENTIFIED BY 'right';
CREATE USER open@'%';
CREATE USER follower@'%' IDENTIFIED BY 'right';
GRANT REPLICATION SLAVE ON *.* TO follower@'%';
";

/// Starts one and waits until it answers; `sql` is run at its start.
pub(crate) async fn start(id: u32, sql: &str) -> Daemon {
    start_with(id, sql, &[]).await
}

/// Starts one that does TLS, with what an authority has certified.
pub(crate) async fn start_tls(authority: &Authority, by: &Certified) -> Daemon {
    give_to(USER, &authority.directory);
    let files = [with_path("--ssl-cert=", &by.certificate), with_path("--ssl-key=", &by.key)];
    let sql = "CREATE USER sealed@'%' IDENTIFIED BY 'right' REQUIRE SSL;";
    start_with(1, sql, &files).await
}

async fn start_with(id: u32, sql: &str, arguments: &[String]) -> Daemon {
    let template = template();
    let user = "open".to_owned();
    let kind = CheckKind::Mysql { user, password_file: None, max_lag: None, tls: None };
    Daemon::answering(&kind, async || {
        let (directory, address) = (fresh_directory("mariadb"), free_address().await);
        template.copy(&directory);
        std::fs::write(directory.join("start.sql"), format!("{ACCOUNTS}{sql}\n"))
            .expect("a writable directory");
        give_to(USER, &directory);
        let mut command = as_user(USER, "mariadbd");
        command
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--socket=socket"])
            .args(["--pid-file=pid", "--log-bin=log"])
            .args(["--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0"])
            .args(arguments)
            .arg(format!("--server-id={id}"))
            .arg(format!("--port={}", address.port()))
            .arg(with_path("--datadir=", &directory))
            .arg(with_path("--init-file=", &directory.join("start.sql")));
        Daemon::spawn(&mut command, NEEDED, address, directory)
    })
    .await
}

/// Runs statements as the server's owner, and returns what they say.
pub(crate) fn sql(server: &Daemon, statements: &str) -> String {
    let mut command = Command::new("mariadb");
    command
        .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--execute"])
        .arg(statements)
        .arg(with_path("--socket=", &server.directory().join("socket")));
    run(&mut command)
}

/// Shared by the tests that run at the same time, and removed by the last of them.
fn template() -> Arc<Template> {
    static SHARED: Mutex<Weak<Template>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(template) = shared.upgrade() {
        return template;
    }
    let template = Arc::new(Template::new(USER, |directory| {
        let mut command = as_user(USER, "mariadb-install-db");
        command
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M"])
            .arg(with_path("--datadir=", directory));
        run(&mut command);
    }));
    *shared = Arc::downgrade(&template);
    template
}

fn with_path(option: &str, path: &Path) -> String {
    format!("{option}{}", path.display())
}
