//! `systemd`: the unit is active, as systemd says by D-Bus, and the port accepts a connection.
//!
//! The three calls that this takes are spoken here: a D-Bus library would bring a runtime of its
//! own and more memory than all other probes take together. No answer says nothing about the
//! service: it is the bus that failed, so everything but systemd's own word is an error.

mod bus;
mod message;

use std::net::SocketAddr;
use std::path::Path;

use tokio::net::UnixStream;

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Outcome, Pass, ProbeFailure, tcp};
use bus::Bus;

const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

pub(crate) async fn probe(target: SocketAddr, unit: &str, deadline: &Deadline) -> Outcome {
    let wire = connect(Path::new(SYSTEM_BUS), deadline).await?;
    ask(wire, unit, deadline).await?;
    tcp::connect(target, deadline).await.map(|_| Pass::PLAIN)
}

async fn connect(bus: &Path, deadline: &Deadline) -> Result<Wire, ProbeFailure> {
    let missing = || "the system bus takes no connection".to_owned();
    let connected =
        deadline.bound(UnixStream::connect(bus), missing).await.map_err(|late| cannot(&late))?;
    let failure =
        |error| ProbeFailure::inconclusive(format!("the system bus {}: {error}", bus.display()));
    connected.map(|stream| Box::new(stream) as Wire).map_err(failure)
}

/// Whether the unit is active, on an open connection to the bus.
pub(crate) async fn ask(wire: Wire, unit: &str, deadline: &Deadline) -> Result<(), ProbeFailure> {
    let talk = async {
        let mut bus = Bus::greet(wire).await?;
        let path = object_path(unit);
        let loaded = bus.property(&path, "LoadState").await?;
        let active = bus.property(&path, "ActiveState").await?;
        Ok((loaded, active))
    };
    let missing = || "no complete answer from systemd".to_owned();
    let answer: Result<_, bus::NoAnswer> =
        deadline.bound(talk, missing).await.map_err(|late| cannot(&late))?;
    let (loaded, active) =
        answer.map_err(|cause| ProbeFailure::inconclusive(format!("systemd: {cause}")))?;
    judge(unit, &loaded, &active)
}

fn judge(unit: &str, loaded: &str, active: &str) -> Result<(), ProbeFailure> {
    match (loaded, active) {
        (_, "active" | "reloading" | "refreshing") => Ok(()),
        ("not-found", _) => {
            Err(ProbeFailure::inconclusive(format!("systemd knows no unit {unit}")))
        }
        ("loaded", active) => Err(ProbeFailure::failed(format!("{unit} is {active}"))),
        (loaded, active) => Err(ProbeFailure::failed(format!("{unit} is {active} ({loaded})"))),
    }
}

fn cannot(late: &ProbeFailure) -> ProbeFailure {
    ProbeFailure::inconclusive(late.to_string())
}

/// As systemd names its objects: all but letters and digits as `_` and two hexadecimal digits, a
/// digit at the beginning too.
fn object_path(unit: &str) -> String {
    let mut path = "/org/freedesktop/systemd1/unit/".to_owned();
    for (place, byte) in unit.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (place > 0 && byte.is_ascii_digit()) {
            path.push(char::from(byte));
        } else {
            path.push('_');
            for digit in [byte >> 4, byte & 0xf] {
                path.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
    }
    path
}

#[cfg(test)]
mod tests;
