//! Which interface the instance metadata are asked about.

use vipward_core::EniId;

use crate::inventory::Mac;

/// Which interface the instance metadata are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its hardware address, by which the metadata know it.
    pub mac: Mac,
    /// What the file says it is.
    pub eni: EniId,
}
