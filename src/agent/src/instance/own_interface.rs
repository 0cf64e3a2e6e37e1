//! The addresses of this node's interface, as the instance's metadata say.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use vipward_core::EniId;
use vipward_core::knowledge::listed;
use vipward_observe::ports::{Metadata, MetadataError};

const MACS: &str = "network/interfaces/macs/";

/// The hardware address of the interface, once it has been found.
#[derive(Debug, Default)]
pub struct OwnInterface(Option<String>);

impl OwnInterface {
    /// The addresses of the interface `eni` of this instance.
    ///
    /// # Errors
    /// When they cannot be read in full, or the instance has no such interface.
    pub async fn addresses(
        &mut self,
        eni: &EniId,
        metadata: &mut impl Metadata,
    ) -> Result<BTreeSet<Ipv4Addr>, MetadataError> {
        let mac = match self.0.take() {
            Some(mac) => mac,
            None => find(eni, metadata).await?,
        };
        let text = metadata.get(&format!("{MACS}{mac}/local-ipv4s")).await?;
        // The primary address is always there: an empty list is no answer.
        let found = listed(text.as_deref().unwrap_or_default()).filter(|found| !found.is_empty());
        let Some(addresses) = found else {
            return Err(MetadataError(format!(
                "the metadata do not list the addresses of {eni}: {text:?}"
            )));
        };
        self.0 = Some(mac);
        Ok(addresses)
    }
}

async fn find(eni: &EniId, metadata: &mut impl Metadata) -> Result<String, MetadataError> {
    let macs = metadata.get(MACS).await?.unwrap_or_default();
    for mac in macs.lines().map(|line| line.trim().trim_end_matches('/')) {
        let id = metadata.get(&format!("{MACS}{mac}/interface-id")).await?;
        if id.is_some_and(|id| id.trim() == eni.as_str()) {
            return Ok(mac.to_owned());
        }
    }
    Err(MetadataError(format!("this instance has no interface {eni}")))
}

#[cfg(test)]
pub(crate) mod tests;
