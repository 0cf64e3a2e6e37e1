//! The certificate authorities that vouch for AWS: the host's own.

use crate::failure::Failure;

/// Makes sure that the host knows any. Without them no request would ever succeed, and the SDK
/// takes that for a fault of its own.
///
/// # Errors
/// [`Failure::NoAuthorities`] when it knows none.
pub fn ensure_any() -> Result<(), Failure> {
    // What the SDK does, so that both look at the same places.
    let found = rustls_native_certs::load_native_certs();
    if !found.certs.is_empty() {
        return Ok(());
    }
    let causes: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
    Err(Failure::NoAuthorities(if causes.is_empty() {
        "this system has none in the usual places".to_owned()
    } else {
        causes.join("; ")
    }))
}
