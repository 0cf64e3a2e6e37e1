//! Tags of network interfaces.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Ec2, invalid_value};
use crate::ApiError;
use crate::journal::JournalEvent;

/// EC2's limit of tags on one resource.
const MOST_TAGS: usize = 50;
/// EC2's limits of a tag, in characters.
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

impl Ec2 {
    /// Sets tags on interfaces: on all of them or, if any check fails, on none.
    pub fn create_tags(
        &mut self,
        resources: &[String],
        tags: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        for (key, value) in tags {
            check_tag(key, value)?;
        }
        for resource in resources {
            let had = &self.taggable(resource)?.tags;
            let new = tags.keys().filter(|key| !had.contains_key(*key)).count();
            if had.len() + new > MOST_TAGS {
                return Err(ApiError::new(
                    "TagLimitExceeded",
                    400,
                    "The maximum number of Tags for a resource has been reached.",
                ));
            }
        }
        self.retag(resources, now, |had| {
            had.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone())));
        });
        Ok(())
    }

    /// Removes tags from interfaces: those named (of that value, where one is given), or all when
    /// none is named. A tag that is not there is no error.
    pub fn delete_tags(
        &mut self,
        resources: &[String],
        tags: &BTreeMap<String, Option<String>>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        for resource in resources {
            self.taggable(resource)?;
        }
        self.retag(resources, now, |had| {
            had.retain(|key, value| match tags.get(key) {
                _ if tags.is_empty() => false,
                None => true,
                Some(wanted) => wanted.as_ref().is_some_and(|wanted| wanted != value),
            });
        });
        Ok(())
    }

    fn retag(
        &mut self,
        resources: &[String],
        now: Timestamp,
        step: impl Fn(&mut BTreeMap<String, String>),
    ) {
        let after: Vec<_> = self.change(now, |inventory| {
            resources
                .iter()
                .filter_map(|eni| {
                    let interface = inventory.interfaces.get_mut(eni)?;
                    step(&mut interface.tags);
                    Some((eni.clone(), interface.tags.clone()))
                })
                .collect()
        });
        self.journal
            .extend(after.into_iter().map(|(eni, tags)| JournalEvent::Tagged { eni, tags }));
    }

    fn taggable(&self, resource: &str) -> Result<&super::Interface, ApiError> {
        if resource.starts_with("eni-") {
            return self.interface(resource);
        }
        Err(ApiError::new("InvalidID", 400, format!("The ID '{resource}' is not valid")))
    }
}

fn check_tag(key: &str, value: &str) -> Result<(), ApiError> {
    if key.starts_with("aws:") {
        return Err(invalid_value("Tag keys starting with 'aws:' are reserved for internal use"));
    }
    if key.is_empty() || key.chars().count() > LONGEST_KEY {
        return Err(invalid_value(format!(
            "Tag key exceeds the maximum length of {LONGEST_KEY} characters"
        )));
    }
    if value.chars().count() > LONGEST_VALUE {
        return Err(invalid_value(format!(
            "Tag value exceeds the maximum length of {LONGEST_VALUE} characters"
        )));
    }
    Ok(())
}
