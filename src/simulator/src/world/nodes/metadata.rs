//! What the instance metadata answer the units, from the region's model.

use std::time::Duration;

use jiff::SignedDuration;
use vipward_core::config;
use vipward_core::knowledge::{Answer, listed};
use vipward_upkeep::subject::Subject;

use crate::history::host_fault::HostFault;
use crate::world::World;
use crate::world::nodes::Asker;
use crate::world::setup::{METADATA_LAG, instance_of};

/// The unit's patience with one question, by its `imds`.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a question takes, in milliseconds.
const QUESTION_MS: (u64, u64) = (1, 4);

impl World {
    /// What the metadata answer to a question that is asked now, and how long that takes.
    pub(super) fn metadata(
        &mut self,
        index: usize,
        asker: Asker,
        subject: &Subject,
    ) -> (Duration, Answer) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let config::Node { name, address, .. } = &self.config.nodes[index];
        let stale = self.metadata_lag(index).saturating_sub(METADATA_LAG);
        let node = &mut self.nodes[index];
        let questions = node.questions.entry(asker).or_default();
        *questions += 1;
        let own_is_left = questions.is_multiple_of(2);
        let quick = node.chance.millis(QUESTION_MS.0, QUESTION_MS.1);
        let unknown = |why: &str| Answer::Unknown(why.to_owned());
        let stale = SignedDuration::try_from(stale).unwrap_or_default();
        let list = {
            let cloud = self.cloud.lock();
            let region = &cloud.region;
            let instance = instance_of(name);
            let tree = region.imds.tree(&region.ec2, &instance, &region.place, stale, now);
            let path = format!("network/interfaces/macs/{}/local-ipv4s", subject.mac);
            tree.and_then(|mut tree| tree.remove(&path))
        };
        let mut list = list.as_deref().and_then(listed);
        for fault in self.truth.ails(name, elapsed) {
            match (fault, &mut list) {
                (HostFault::MetadataSilent, _) => return (PATIENCE, unknown("no answer")),
                (HostFault::MetadataThrottled, _) => return (quick, unknown("503")),
                (HostFault::MetadataEmpty, Some(list)) => list.clear(),
                (HostFault::MetadataPartial, Some(list)) => {
                    list.retain(|of| (of == address) == own_is_left);
                }
                _ => {}
            }
        }
        (quick, list.map_or_else(|| unknown("404"), Answer::Addresses))
    }

    /// How far the metadata of that node lag behind now.
    pub(super) fn metadata_lag(&self, index: usize) -> Duration {
        self.metadata_lag_at(index, self.elapsed())
    }

    /// How far they lagged behind at that moment.
    pub(super) fn metadata_lag_at(&self, index: usize, moment: Duration) -> Duration {
        let late = self.truth.metadata_lag(&self.config.nodes[index].name, moment);
        METADATA_LAG + self.nodes[index].late + late
    }
}
