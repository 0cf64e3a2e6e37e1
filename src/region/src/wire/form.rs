//! Form-encoded parameters of the AWS Query and EC2 Query protocols.
//!
//! The two differ in how they write lists: `Name.member.N` and plain `Name.N`. Both are read.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::ApiError;

/// The parameters of one request, or of one member of a list in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Decodes an `application/x-www-form-urlencoded` body; the last of two equal names wins.
    pub fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The value of a parameter by its full name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a parameter that has to be there: `MissingParameter` if not.
    pub fn require(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| {
            ApiError::new(
                "MissingParameter",
                400,
                format!("The request must contain the parameter {name}"),
            )
        })
    }

    /// A parameter read as a number, boolean or other type: `InvalidParameterValue` if it does not
    /// parse.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    ApiError::new(
                        "InvalidParameterValue",
                        400,
                        format!("Value ({text}) for parameter {name} is invalid."),
                    )
                })
            })
            .transpose()
    }

    /// The plain values of a list, `Name.1`, `Name.2`, ... or `Name.member.1`, ..., by number.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.members(name).into_iter().filter_map(|mut member| member.0.remove("")).collect()
    }

    /// The structured members of a list, `Name.1.Field` or `Name.member.1.Field`, by number.
    ///
    /// Each is a `Params` of its own with names relative to the member, so lists nest; a plain
    /// value is kept under the empty name.
    pub fn members(&self, name: &str) -> Vec<Self> {
        let prefix = format!("{name}.");
        let mut members: BTreeMap<u32, Self> = BTreeMap::new();
        for (key, value) in self.0.range(prefix.clone()..) {
            let Some(rest) = key.strip_prefix(&prefix) else {
                break;
            };
            let rest = rest.strip_prefix("member.").unwrap_or(rest);
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                let member = members.entry(number).or_default();
                member.0.insert(field.to_owned(), value.clone());
            }
        }
        members.into_values().collect()
    }

    /// The fields of a nested structure, `Name.Field`, with names relative to it.
    #[must_use]
    pub fn within(&self, name: &str) -> Self {
        let prefix = format!("{name}.");
        Self(
            self.0
                .range(prefix.clone()..)
                .map_while(|(key, value)| {
                    Some((key.strip_prefix(&prefix)?.to_owned(), value.clone()))
                })
                .collect(),
        )
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_list_dialects_read_alike_and_by_number() {
        for dialect in ["Ip", "Ip.member"] {
            let pairs: Vec<_> = (1..=11).map(|n| format!("{dialect}.{n}=10.0.0.{n}")).collect();
            let body = pairs.join("&");
            let list = Params::parse(body.as_bytes()).list("Ip");
            assert_eq!(list.len(), 11, "{dialect}");
            assert_eq!(list[1], "10.0.0.2", "{dialect}");
            assert_eq!(list[10], "10.0.0.11", "{dialect}");
        }
    }

    #[test]
    fn members_nest() {
        let params = Params::parse(
            b"Filter.1.Name=subnet-id&Filter.1.Value.1=a&Filter.1.Value.2=b%20c&Filter.2.Name=x&Filters.1.Name=no",
        );
        let filters = params.members("Filter");
        assert_eq!(filters.len(), 2);
        assert_eq!(filters[0].get("Name"), Some("subnet-id"));
        assert_eq!(filters[0].list("Value"), ["a", "b c"]);
        assert!(filters[1].list("Value").is_empty());
    }

    #[test]
    fn a_nested_structure_is_read_by_its_name() {
        let params = Params::parse(b"Stat.Metric.Name=M&Stat.Period=10&Static=1");
        let stat = params.within("Stat");
        assert_eq!(stat.get("Metric.Name"), Some("M"));
        assert_eq!(stat.parsed::<u32>("Period"), Ok(Some(10)));
        assert_eq!(stat.get("ic"), None);
    }

    #[test]
    fn a_missing_or_unreadable_value_is_an_api_error() {
        let params = Params::parse(b"Max=many");
        let missing = params.require("Action").expect_err("not there");
        assert_eq!((missing.code.as_ref(), missing.status), ("MissingParameter", 400));
        let unreadable = params.parsed::<u32>("Max").expect_err("no number");
        assert_eq!(unreadable.code, "InvalidParameterValue");
        assert_eq!(params.parsed::<u32>("Min"), Ok(None));
    }
}
