//! Which private addresses the node's ENI has, by the instance metadata.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use tokio::time::timeout;
use vipward_core::EniId;
use vipward_core::knowledge::listed;
use vipward_imds::{Endpoint, Imds, ImdsError, WITHIN};
use vipward_upkeep::inventory::Mac;

#[cfg(test)]
mod tests;

/// Why they are not known. None of these says anything about whose VIP it is.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// There is no answer; 404 means an unknown MAC.
    #[error(transparent)]
    Imds(#[from] ImdsError),
    /// The interface is not the one that the file names.
    #[error("the interface with MAC {mac} is {told}, but the configuration says {eni}")]
    AnotherEni {
        /// The interface that was found by the node's address.
        mac: Mac,
        /// What the metadata call it.
        told: String,
        /// What the file calls it.
        eni: EniId,
    },
}

/// The question, and what need not be asked again.
pub struct OwnAddresses {
    imds: Imds,
    /// The last MAC that was found to belong to the ENI of the file.
    confirmed: Option<(Mac, EniId)>,
}

impl OwnAddresses {
    /// To be asked of the service at `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { imds: Imds::new(endpoint), confirmed: None }
    }

    /// The private addresses of the ENI with this MAC, which must be `eni`. All requests together
    /// take no longer than one may.
    ///
    /// # Errors
    /// See [`Unknown`].
    pub async fn ask(&mut self, mac: Mac, eni: &EniId) -> Result<BTreeSet<Ipv4Addr>, Unknown> {
        timeout(WITHIN, self.confirm_and_list(mac, eni)).await.map_err(|_| ImdsError::Silent)?
    }

    async fn confirm_and_list(
        &mut self,
        mac: Mac,
        eni: &EniId,
    ) -> Result<BTreeSet<Ipv4Addr>, Unknown> {
        let of_interface =
            |leaf: &str| format!("/latest/meta-data/network/interfaces/macs/{mac}/{leaf}");
        let expected = Some((mac, eni.clone()));
        if self.confirmed != expected {
            let told = self.imds.get(&of_interface("interface-id")).await?;
            if told.trim() != eni.as_str() {
                let told = told.trim().to_owned();
                return Err(Unknown::AnotherEni { mac, told, eni: eni.clone() });
            }
            self.confirmed = expected;
        }
        let path = of_interface("local-ipv4s");
        let text = self.imds.get(&path).await?;
        Ok(listed(&text).ok_or(ImdsError::Garbled(path))?)
    }
}
