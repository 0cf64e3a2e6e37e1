use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

fn target(address: SocketAddr) -> Target {
    let config = crate::driver::tests::config(address.port());
    let mut target =
        vipward_observe::target::targets(&config, &"a".parse().expect("a name")).remove(0);
    target.address = address;
    target
}

#[test]
fn pauses_double_to_a_bound_and_start_over_after_a_good_connection() {
    let mut backoff = Backoff { next: FIRST_PAUSE };
    let mut pauses = |lived| backoff.after(Duration::from_secs(lived)).as_millis();
    let table = [
        (0, 200),
        (1, 400),
        (29, 800),
        (0, 1600),
        (0, 3200),
        (0, 6400),
        (0, 10_000),
        (0, 10_000),
        (30, 200),
        (0, 400),
    ];
    for (lived, pause) in table {
        assert_eq!(pauses(lived), pause);
    }
}

#[tokio::test]
async fn it_stands_in_silence_and_breaks_when_the_server_goes() {
    let (listener, address) = listener().await;
    let mut standing = StandingConnection::new(&target(address));
    let mut server = tokio::select! {
        () = standing.broken() => panic!("it broke by itself"),
        accepted = listener.accept() => accepted.expect("a connection").0,
    };
    // What the server says does not end it, and it says nothing itself.
    server.write_all(b"+welcome\r\n").await.expect("the connection stands");
    let mut heard = [0; 8];
    tokio::select! {
        () = standing.broken() => panic!("a greeting broke it"),
        read = server.read(&mut heard) => panic!("it spoke: {read:?}"),
        () = tokio::time::sleep(Duration::from_millis(50)) => {}
    }
    drop((server, listener));
    standing.broken().await;
}

#[tokio::test]
async fn it_is_made_anew_after_a_pause_and_refusals_break_it_too() {
    let (listener, address) = listener().await;
    let mut standing = StandingConnection::new(&target(address));
    for _ in 0..2 {
        tokio::select! {
            () = standing.broken() => panic!("it broke by itself"),
            accepted = listener.accept() => drop(accepted.expect("a connection")),
        }
        standing.broken().await;
    }
    drop(listener);
    standing.broken().await;
    assert!(matches!(standing.state, State::Waiting { .. }));
}

#[tokio::test]
async fn a_server_that_talks_without_end_breaks_it() {
    let (listener, address) = listener().await;
    let mut standing = StandingConnection::new(&target(address));
    tokio::spawn(async move {
        let (mut server, _) = listener.accept().await.expect("a connection");
        while server.write_all(&[b'x'; 1024]).await.is_ok() {}
    });
    standing.broken().await;
    assert!(matches!(standing.state, State::Waiting { .. }));
}

#[tokio::test]
async fn a_renewed_connection_is_another_one() {
    let (listener, address) = listener().await;
    let mut standing = StandingConnection::new(&target(address));
    for _ in 0..2 {
        let server = tokio::select! {
            () = standing.broken() => panic!("it broke by itself"),
            accepted = listener.accept() => accepted.expect("a connection").0,
        };
        standing.renew();
        drop(server);
    }
}
