//! Describe calls: filters and pages over an inventory.

use super::inventory::{Instance, Interface, Inventory, Subnet};
use super::{invalid_value, no_such_interface};
use crate::ApiError;

/// One filter: a name and the values of which one has to match, `*` and `?` being wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// `subnet-id`, `tag:Name`, ...
    pub name: String,
    /// Any of these.
    pub values: Vec<String>,
}

impl Filter {
    fn accepts<'a>(&self, candidates: impl IntoIterator<Item = &'a str>) -> bool {
        candidates.into_iter().any(|text| self.values.iter().any(|pattern| glob(pattern, text)))
    }

    fn unknown(&self) -> ApiError {
        invalid_value(format!("The filter '{}' is invalid", self.name))
    }
}

/// Which page of the results is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// At most this many results; 5 to 1000.
    pub max_results: Option<usize>,
    /// Where the page before ended.
    pub next_token: Option<String>,
}

/// One page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The results.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last.
    pub next_token: Option<String>,
}

/// One tag as `DescribeTags` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagDescription<'a> {
    /// Resource id.
    pub resource: &'a str,
    /// Key.
    pub key: &'a str,
    /// Value.
    pub value: &'a str,
}

/// A token is the id of the last result behind this word, so that foreign text is told from it.
const TOKEN: &str = "after:";

impl Paging {
    fn cut<T>(&self, items: Vec<T>, id: impl Fn(&T) -> &str) -> Result<Page<T>, ApiError> {
        let most = match self.max_results {
            Some(n @ ..5) => {
                return Err(invalid_value(format!(
                    "Value ( {n} ) for parameter maxResults is invalid. Expecting a value greater than 5."
                )));
            }
            Some(n) => n.min(1000),
            None => usize::MAX,
        };
        let after = match self.next_token.as_deref() {
            None => "",
            Some(token) => token.strip_prefix(TOKEN).ok_or_else(|| {
                ApiError::new(
                    "InvalidPaginationToken",
                    400,
                    "The specified pagination token is not valid or is expired.",
                )
            })?,
        };
        let mut items: Vec<T> = items.into_iter().filter(|item| id(item) > after).collect();
        let next_token = (items.len() > most).then(|| {
            items.truncate(most);
            items.last().map(|last| format!("{TOKEN}{}", id(last)))
        });
        Ok(Page { items, next_token: next_token.flatten() })
    }
}

impl Inventory {
    /// Network interfaces by ids (all, when none is given) and filters.
    pub fn describe_interfaces(
        &self,
        ids: &[String],
        filters: &[Filter],
        paging: &Paging,
    ) -> Result<Page<&Interface>, ApiError> {
        if !ids.is_empty() && paging.max_results.is_some() {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                400,
                "The parameter NetworkInterfaceIds cannot be used with the parameter MaxResults",
            ));
        }
        if let Some(missing) = ids.iter().find(|id| !self.interfaces.contains_key(*id)) {
            return Err(no_such_interface(missing));
        }
        let mut found = Vec::new();
        for interface in self.interfaces.values() {
            if (ids.is_empty() || ids.contains(&interface.id))
                && all(filters, |filter| self.interface_matches(interface, filter))?
            {
                found.push(interface);
            }
        }
        paging.cut(found, |interface| &interface.id)
    }

    /// Instances by ids (all, when none is given) and filters.
    pub fn describe_instances(
        &self,
        ids: &[String],
        filters: &[Filter],
        paging: &Paging,
    ) -> Result<Page<&Instance>, ApiError> {
        if let Some(missing) = ids.iter().find(|id| !self.instances.contains_key(*id)) {
            return Err(ApiError::new(
                "InvalidInstanceID.NotFound",
                400,
                format!("The instance ID '{missing}' does not exist"),
            ));
        }
        let mut found = Vec::new();
        for instance in self.instances.values() {
            if (ids.is_empty() || ids.contains(&instance.id))
                && all(filters, |filter| instance_matches(instance, filter))?
            {
                found.push(instance);
            }
        }
        paging.cut(found, |instance| &instance.id)
    }

    /// Subnets by ids (all, when none is given) and filters.
    pub fn describe_subnets(
        &self,
        ids: &[String],
        filters: &[Filter],
        paging: &Paging,
    ) -> Result<Page<&Subnet>, ApiError> {
        if let Some(missing) = ids.iter().find(|id| !self.subnets.contains_key(*id)) {
            return Err(ApiError::new(
                "InvalidSubnetID.NotFound",
                400,
                format!("The subnet ID '{missing}' does not exist"),
            ));
        }
        let mut found = Vec::new();
        for subnet in self.subnets.values() {
            if (ids.is_empty() || ids.contains(&subnet.id))
                && all(filters, |filter| subnet_matches(subnet, filter))?
            {
                found.push(subnet);
            }
        }
        paging.cut(found, |subnet| &subnet.id)
    }

    /// The tags of all interfaces, by filters.
    pub fn describe_tags(&self, filters: &[Filter]) -> Result<Vec<TagDescription<'_>>, ApiError> {
        let mut found = Vec::new();
        for interface in self.interfaces.values() {
            for (key, value) in &interface.tags {
                let tag = TagDescription { resource: &interface.id, key, value };
                if all(filters, |filter| tag_matches(tag, filter))? {
                    found.push(tag);
                }
            }
        }
        Ok(found)
    }

    fn interface_matches(&self, interface: &Interface, filter: &Filter) -> Result<bool, ApiError> {
        if let Some(key) = filter.name.strip_prefix("tag:") {
            return Ok(filter.accepts(interface.tags.get(key).map(String::as_str)));
        }
        Ok(match filter.name.as_str() {
            "network-interface-id" => filter.accepts([interface.id.as_str()]),
            "addresses.private-ip-address" => {
                let held: Vec<String> = interface.addresses().map(|a| a.to_string()).collect();
                filter.accepts(held.iter().map(String::as_str))
            }
            "private-ip-address" => filter.accepts([interface.primary.to_string().as_str()]),
            "subnet-id" => filter.accepts([interface.subnet.as_str()]),
            "vpc-id" => filter.accepts([self.subnet_of(interface).vpc.as_str()]),
            "attachment.instance-id" => filter.accepts([interface.instance.as_str()]),
            "mac-address" => filter.accepts([interface.mac.as_str()]),
            "status" => filter.accepts(["in-use"]),
            "tag-key" => filter.accepts(interface.tags.keys().map(String::as_str)),
            _ => return Err(filter.unknown()),
        })
    }
}

fn instance_matches(instance: &Instance, filter: &Filter) -> Result<bool, ApiError> {
    Ok(match filter.name.as_str() {
        "instance-id" => filter.accepts([instance.id.as_str()]),
        "instance-state-name" => filter.accepts([instance.state.name()]),
        "instance-state-code" => filter.accepts([instance.state.code().to_string().as_str()]),
        "instance-type" => filter.accepts([instance.kind.as_str()]),
        "network-interface.network-interface-id" => filter.accepts([instance.eni.as_str()]),
        _ => return Err(filter.unknown()),
    })
}

fn subnet_matches(subnet: &Subnet, filter: &Filter) -> Result<bool, ApiError> {
    Ok(match filter.name.as_str() {
        "subnet-id" => filter.accepts([subnet.id.as_str()]),
        "vpc-id" => filter.accepts([subnet.vpc.as_str()]),
        "availability-zone" => filter.accepts([subnet.zone.as_str()]),
        "cidr-block" | "cidr" => filter.accepts([subnet.cidr.to_string().as_str()]),
        _ => return Err(filter.unknown()),
    })
}

fn tag_matches(tag: TagDescription<'_>, filter: &Filter) -> Result<bool, ApiError> {
    Ok(match filter.name.as_str() {
        "resource-id" => filter.accepts([tag.resource]),
        "resource-type" => filter.accepts(["network-interface"]),
        "key" => filter.accepts([tag.key]),
        "value" => filter.accepts([tag.value]),
        _ => return Err(filter.unknown()),
    })
}

fn all(
    filters: &[Filter],
    mut matches: impl FnMut(&Filter) -> Result<bool, ApiError>,
) -> Result<bool, ApiError> {
    let mut every = true;
    // No short cut: an unknown filter name is an error whatever the others say.
    for filter in filters {
        every &= matches(filter)?;
    }
    Ok(every)
}

/// EC2's filter patterns: `*` any text, `?` any one character, `\` takes the next as it is.
fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| glob(rest.as_str(), &text[at..])),
        Some(first) => {
            let (literal, any) = match first {
                '\\' => (rest.next().unwrap_or('\\'), false),
                '?' => ('?', true),
                other => (other, false),
            };
            let mut remaining = text.chars();
            remaining
                .next()
                .is_some_and(|c| (any || c == literal) && glob(rest.as_str(), remaining.as_str()))
        }
    }
}
