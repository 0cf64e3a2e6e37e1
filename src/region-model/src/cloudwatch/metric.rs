//! What a metric is: its identity, and the four numbers CloudWatch keeps of its values.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A metric's identity. Values from two hosts under one identity merge into one metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricId {
    /// Its name space, `Vipward/prod-db/resource-01` for example.
    pub namespace: String,
    /// Its name, `SelfHealth` for example.
    pub name: String,
    /// Its dimensions by name.
    pub dimensions: BTreeMap<String, String>,
}

impl MetricId {
    /// Name and dimensions for people: `SelfHealth{Service=redis}`.
    pub fn label(&self) -> String {
        if self.dimensions.is_empty() {
            return self.name.clone();
        }
        let dimensions: Vec<String> =
            self.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}{{{}}}", self.name, dimensions.join(","))
    }
}

/// A statistic that CloudWatch can compute from a [`StatisticSet`]; percentiles are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Sum over count.
    Average,
    /// All values added.
    Sum,
    /// The smallest value.
    Minimum,
    /// The largest value.
    Maximum,
    /// The number of values.
    SampleCount,
}

impl Statistic {
    /// Every statistic.
    pub const ALL: [Self; 5] =
        [Self::Average, Self::Sum, Self::Minimum, Self::Maximum, Self::SampleCount];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Average => "Average",
            Self::Sum => "Sum",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
            Self::SampleCount => "SampleCount",
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not one of those the API knows in that place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(pub String);

impl FromStr for Statistic {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|statistic| statistic.as_str() == text)
            .ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Count, sum, minimum and maximum of some values: all that is kept of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StatisticSet {
    /// How many values.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

impl StatisticSet {
    /// The set of one value that occurred `count` times.
    pub fn of(value: f64, count: f64) -> Self {
        Self { count, sum: value * count, minimum: value, maximum: value }
    }

    /// The set of both sets' values.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    /// One statistic of the set. The average of no values is zero.
    pub fn get(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Average if self.count > 0.0 => self.sum / self.count,
            Statistic::Average => 0.0,
            Statistic::Sum => self.sum,
            Statistic::Minimum => self.minimum,
            Statistic::Maximum => self.maximum,
            Statistic::SampleCount => self.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_its_statistics() {
        let set = StatisticSet::of(2.0, 3.0).merge(StatisticSet::of(-6.0, 1.0));
        let found = Statistic::ALL.map(|statistic| set.get(statistic));
        assert_eq!(format!("{found:?}"), "[0.0, 0.0, -6.0, 2.0, 4.0]");
    }

    #[test]
    fn statistics_read_back_and_percentiles_are_unknown() {
        for statistic in Statistic::ALL {
            assert_eq!(statistic.as_str().parse(), Ok(statistic));
        }
        assert!("p99".parse::<Statistic>().is_err());
    }

    #[test]
    fn a_label_names_the_dimensions() {
        let mut id = MetricId {
            namespace: "N".to_owned(),
            name: "PeerHealth".to_owned(),
            dimensions: BTreeMap::new(),
        };
        assert_eq!(id.label(), "PeerHealth");
        id.dimensions.insert("Subject".to_owned(), "a".to_owned());
        id.dimensions.insert("Service".to_owned(), "redis".to_owned());
        assert_eq!(id.label(), "PeerHealth{Service=redis,Subject=a}");
    }
}
