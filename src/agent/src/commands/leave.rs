//! `vipward-agent leave` and `stay`: planned ends of services, announced before they come.

use std::io::{self, Write as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use vipward_core::Exit;
use vipward_observe::requests::Request;
use vipward_observe::status::VipStatus;

use crate::commands::status::ask;
use crate::failure::Failure;
use crate::options::{LeaveOptions, StayOptions};

/// From one question to the agent to the next, while waiting.
const LOOK: Duration = Duration::from_millis(200);
/// So long after a node has said that it leaves, a VIP that was on its way to it is named there.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Announces that services leave, and waits where told to; how the program ends.
///
/// # Errors
/// When no agent answers, or it refuses.
pub fn leave(options: &LeaveOptions) -> Result<Exit, Failure> {
    let which = options.which.which();
    let request = Request::Leave { which: which.clone(), reason: options.reason.clone() };
    let status = ask(&options.which.socket, &request)?;
    let Some(patience) = options.wait else {
        return Ok(Exit::Fine);
    };
    let deadline = Instant::now() + patience;
    let told = status.now;
    loop {
        let status = ask(&options.which.socket, &Request::Status)?;
        let left: Vec<_> = status
            .vips
            .iter()
            .filter(|vip| which.means(&vip.service, vip.unit.as_deref()))
            .filter_map(|vip| obstacle(vip, told))
            .collect();
        if left.is_empty() {
            return Ok(Exit::Fine);
        }
        if Instant::now() >= deadline {
            let said = left.join("\n");
            writeln!(io::stderr().lock(), "not vacated within {patience:?}:\n{said}")
                .map_err(Failure::system("write to standard error"))?;
            return Ok(Exit::Degraded);
        }
        sleep(LOOK);
    }
}

/// Takes it back; how the program ends.
///
/// # Errors
/// When no agent answers, or it refuses.
pub fn stay(options: &StayOptions) -> Result<Exit, Failure> {
    ask(&options.which.socket, &Request::Stay { which: options.which.which() })?;
    Ok(Exit::Fine)
}

/// Why a VIP cannot be said to have gone; what was seen before the leaving was told proves nothing,
/// and that it is not here proves little before the last move has arrived.
fn obstacle(vip: &VipStatus, told: Timestamp) -> Option<String> {
    let VipStatus { service, vip, here, looked, .. } = vip;
    let seen_since = |then: Timestamp| looked.is_some_and(|at| at >= then);
    match here {
        Some(true) if seen_since(told) => Some(format!("{vip} of {service} is still here")),
        Some(false) if seen_since(told + SETTLED_AFTER) => None,
        _ => Some(format!("it is not known whether {vip} of {service} is here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vip_is_gone_only_when_none_can_have_been_on_its_way() {
        let told: Timestamp = "2026-09-21T14:13:20Z".parse().expect("a time");
        let word = |here, after: Option<i64>| {
            let looked = after.map(|seconds| told + jiff::SignedDuration::from_secs(seconds));
            let service = "web".parse().expect("a name");
            let vip = [127, 77, 0, 200].into();
            let said = obstacle(&VipStatus { service, unit: None, vip, here, looked }, told);
            said.map(|said| said.contains("still here"))
        };
        assert_eq!(word(Some(true), Some(0)), Some(true));
        for (here, after) in [(Some(true), -1), (Some(false), -1), (Some(false), 1), (None, 9)] {
            let after = here.map(|_| after);
            assert_eq!(word(here, after), Some(false), "{here:?} {after:?}");
        }
        assert_eq!(word(Some(false), Some(2)), None);
    }
}
