use std::os::unix::net::UnixListener as Plain;

use vipward_core::Exit;

use super::*;

/// A path of its own for each test; what is there goes with it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let name = format!("vipward-status-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Gone already in most tests.
        let _removed = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn it_is_for_owner_and_group_and_goes_with_the_agent() {
    let place = Place::new("mode");
    let socket = StatusSocket::bind(&place.0).expect("a free path");
    let mode = std::fs::metadata(&place.0).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    drop(socket);
    assert!(!place.0.exists());
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let place = Place::new("stale");
    drop(Plain::bind(&place.0).expect("a free path"));
    assert!(place.0.exists(), "nobody removed it");
    assert!(StatusSocket::bind(&place.0).is_ok());
}

#[tokio::test]
async fn neither_another_agents_socket_nor_a_file_is_touched() {
    let place = Place::new("alive");
    let other = Plain::bind(&place.0).expect("a free path");
    let refused = StatusSocket::bind(&place.0).err().map(|error| error.kind());
    assert_eq!(refused, Some(io::ErrorKind::AddrInUse));
    assert!(place.0.exists());
    drop(other);

    let file = Place::new("file");
    std::fs::write(&file.0, "dear").expect("writable");
    assert!(StatusSocket::bind(&file.0).is_err());
    assert_eq!(std::fs::read_to_string(&file.0).expect("it is there"), "dear");
}

#[tokio::test]
async fn a_path_that_was_named_must_work() {
    let nowhere = PathChoice::At("/nonexistent/agent.sock".into());
    let refused = StatusSocket::choose(Some(&nowhere)).err().expect("no such directory");
    assert_eq!(refused.exit(), Exit::Failed);
    assert!(refused.to_string().contains("/nonexistent/agent.sock"), "{refused}");
    assert!(matches!(StatusSocket::choose(Some(&PathChoice::Off)), Ok(None)));
}
