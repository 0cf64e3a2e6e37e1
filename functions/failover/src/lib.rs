//! The function that alone may move a VIP: `vipward-reconcile` with AWS behind its ports. Only
//! [`aws`] names the SDK.

pub mod aws;
