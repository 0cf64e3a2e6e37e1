//! `vipward-agent leave` and `stay`: planned ends of services, announced before they come.

use std::io::{self, Write as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::args::{LeaveArgs, StayArgs};
use crate::ask::ask;
use crate::failure::{AgentError, DEGRADED};
use crate::requests::Request;
use crate::status::VipStatus;

/// From one question to the agent to the next, while waiting.
const LOOK: Duration = Duration::from_millis(200);

/// Announces that services leave, and waits where told to; the exit code.
///
/// # Errors
/// When no agent answers, or it refuses.
pub fn leave(args: &LeaveArgs) -> Result<u8, AgentError> {
    let which = args.which.which();
    let request = Request::Leave { which: which.clone(), reason: args.reason.clone() };
    let status = ask(&args.which.socket, &request)?;
    let Some(patience) = args.wait else {
        return Ok(0);
    };
    let deadline = Instant::now() + patience;
    let told = status.now;
    loop {
        let status = ask(&args.which.socket, &Request::Status)?;
        let left: Vec<_> = status
            .vips
            .iter()
            .filter(|vip| which.means(&vip.service, vip.unit.as_deref()))
            .filter_map(|vip| obstacle(vip, told))
            .collect();
        if left.is_empty() {
            return Ok(0);
        }
        if Instant::now() >= deadline {
            let said = left.join("\n");
            writeln!(io::stderr().lock(), "not vacated within {patience:?}:\n{said}")
                .map_err(AgentError::system("write to standard error"))?;
            return Ok(DEGRADED);
        }
        sleep(LOOK);
    }
}

/// Takes it back; the exit code.
///
/// # Errors
/// When no agent answers, or it refuses.
pub fn stay(args: &StayArgs) -> Result<u8, AgentError> {
    ask(&args.which.socket, &Request::Stay { which: args.which.which() })?;
    Ok(0)
}

/// Why a VIP cannot be said to have gone; what was seen before the leaving was told proves nothing.
fn obstacle(vip: &VipStatus, told: Timestamp) -> Option<String> {
    let VipStatus { service, vip, here, looked, .. } = vip;
    match here.filter(|_| looked.is_some_and(|at| at >= told)) {
        Some(false) => None,
        Some(true) => Some(format!("{vip} of {service} is still here")),
        None => Some(format!("whether {vip} of {service} is here is not known")),
    }
}
