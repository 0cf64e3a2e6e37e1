//! What an alarm is told to watch, from `CloudFormation` or `PutMetricAlarm`: both use the same
//! names.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

use super::evaluate::{Bucket, Criteria, MissingData};
use crate::cloudwatch::{
    MetricId, Properties, PropertyError, Statistic, StatisticSet, UnknownWord,
};

/// The longest time an alarm may look back, in seconds: a day.
const LONGEST_LOOK_BACK: u32 = 86_400;

/// How a value is compared with the threshold; true is breaching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Value > threshold.
    GreaterThan,
    /// Value >= threshold.
    GreaterThanOrEqualTo,
    /// Value < threshold.
    LessThan,
    /// Value <= threshold.
    LessThanOrEqualTo,
}

impl Comparison {
    /// Every comparison with a fixed threshold; those with a band need anomaly detection.
    pub const ALL: [Self; 4] =
        [Self::GreaterThan, Self::GreaterThanOrEqualTo, Self::LessThan, Self::LessThanOrEqualTo];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GreaterThan => "GreaterThanThreshold",
            Self::GreaterThanOrEqualTo => "GreaterThanOrEqualToThreshold",
            Self::LessThan => "LessThanThreshold",
            Self::LessThanOrEqualTo => "LessThanOrEqualToThreshold",
        }
    }

    /// Its words in a state's reason.
    pub const fn words(self) -> &'static str {
        match self {
            Self::GreaterThan => "greater than",
            Self::GreaterThanOrEqualTo => "greater than or equal to",
            Self::LessThan => "less than",
            Self::LessThanOrEqualTo => "less than or equal to",
        }
    }

    /// Whether the value breaches the threshold.
    pub fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThan => value > threshold,
            Self::GreaterThanOrEqualTo => value >= threshold,
            Self::LessThan => value < threshold,
            Self::LessThanOrEqualTo => value <= threshold,
        }
    }
}

impl FromStr for Comparison {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|comparison| comparison.as_str() == text)
            .ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// A metric alarm as it was asked for. Its actions are not kept: events are all it does here.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmSpec {
    /// Its name, unique in the region.
    pub name: String,
    /// What it is for, in its owner's words.
    pub description: Option<String>,
    /// What it watches.
    pub metric: MetricId,
    /// Which number of a period's values.
    pub statistic: Statistic,
    /// Seconds in a period: 10, 20, 30 or a multiple of 60.
    pub period: u32,
    /// How the number is compared.
    pub comparison: Comparison,
    /// With what.
    pub threshold: f64,
    /// N: periods that are looked at.
    pub evaluation_periods: u32,
    /// M: how many of them must breach; at most N.
    pub datapoints_to_alarm: u32,
    /// What a period without data means.
    pub missing_data: MissingData,
}

impl AlarmSpec {
    /// An alarm from the properties of an `AWS::CloudWatch::Alarm`, whose intrinsic functions are
    /// resolved; `AlarmName`, where there is one, wins over `name`.
    pub fn from_cfn(name: &str, properties: &Value) -> Result<Self, PropertyError> {
        let properties = Properties::root(properties);
        let name = properties.text("AlarmName")?.unwrap_or_else(|| name.to_owned());
        Self::from_properties(name, &properties)
    }

    /// An alarm from properties that `CloudFormation` and `PutMetricAlarm` share.
    ///
    /// Metric math and percentiles are not part of this region and are refused.
    pub fn from_properties(
        name: String,
        properties: &Properties<'_>,
    ) -> Result<Self, PropertyError> {
        for foreign in ["Metrics", "ExtendedStatistic", "ThresholdMetricId"] {
            if properties.has(foreign) {
                return Err(properties.invalid(foreign, "MetricName with a plain Statistic"));
            }
        }
        let evaluation_periods =
            properties.required("EvaluationPeriods", properties.count("EvaluationPeriods")?)?;
        let threshold = properties.required("Threshold", properties.number("Threshold")?)?;
        let statistic =
            properties.parsed("Statistic", "Average, Sum, Minimum, Maximum or SampleCount")?;
        let comparison =
            properties.parsed("ComparisonOperator", "a comparison with a fixed threshold")?;
        let missing_data =
            properties.parsed("TreatMissingData", "breaching, notBreaching, ignore or missing")?;
        let spec = Self {
            name,
            description: properties.text("AlarmDescription")?,
            metric: MetricId {
                namespace: properties.needed_text("Namespace")?,
                name: properties.needed_text("MetricName")?,
                dimensions: dimensions(properties)?,
            },
            statistic: properties.required("Statistic", statistic)?,
            period: properties.required("Period", properties.count("Period")?)?,
            comparison: properties.required("ComparisonOperator", comparison)?,
            threshold,
            evaluation_periods,
            datapoints_to_alarm: properties
                .count("DatapointsToAlarm")?
                .unwrap_or(evaluation_periods),
            missing_data: missing_data.unwrap_or(MissingData::Missing),
        };
        spec.check(properties).map(|()| spec)
    }

    fn check(&self, properties: &Properties<'_>) -> Result<(), PropertyError> {
        if !matches!(self.period, 10 | 20 | 30) && !self.period.is_multiple_of(60) {
            return Err(properties.invalid("Period", "10, 20, 30 or a multiple of 60"));
        }
        if self.datapoints_to_alarm > self.evaluation_periods {
            return Err(properties.invalid("DatapointsToAlarm", "at most EvaluationPeriods"));
        }
        if self.period.saturating_mul(self.evaluation_periods) > LONGEST_LOOK_BACK {
            return Err(properties.invalid("EvaluationPeriods", "at most a day of periods"));
        }
        if !self.threshold.is_finite() {
            return Err(properties.invalid("Threshold", "a finite number"));
        }
        Ok(())
    }

    /// How often it is evaluated, in seconds: periods under a minute every 10 s, others every
    /// minute.
    pub fn evaluated_every(&self) -> i64 {
        if self.period < 60 { 10 } else { 60 }
    }

    /// The Unix second at which the newest whole bucket ends, at an evaluation. Buckets align to
    /// the minute.
    pub fn range_end(&self, now_second: i64) -> i64 {
        let grid = i64::from(self.period.min(60));
        now_second.div_euclid(grid) * grid
    }

    /// What evaluation needs to know.
    pub fn criteria(&self) -> Criteria {
        Criteria {
            periods: self.evaluation_periods as usize,
            to_alarm: self.datapoints_to_alarm as usize,
            missing: self.missing_data,
        }
    }

    /// What a bucket's values say of the threshold.
    pub fn bucket(&self, values: Option<&StatisticSet>) -> Bucket {
        match values.map(|values| values.get(self.statistic)) {
            None => Bucket::Missing,
            Some(value) if self.comparison.breaches(value, self.threshold) => Bucket::Breaching,
            Some(_) => Bucket::Good,
        }
    }
}

/// The dimensions of a metric, written as a list of names and values.
pub fn dimensions(properties: &Properties<'_>) -> Result<BTreeMap<String, String>, PropertyError> {
    properties
        .structures("Dimensions")?
        .iter()
        .map(|dimension| Ok((dimension.needed_text("Name")?, dimension.needed_text("Value")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn properties() -> Value {
        json!({
            "AlarmName": "vipward/c/redis/a/self", "Namespace": "Vipward/c/a", "MetricName": "SelfHealth",
            "Dimensions": [{"Name": "Service", "Value": "redis"}], "Statistic": "Minimum", "Period": 10,
            "ComparisonOperator": "LessThanThreshold", "Threshold": "1", "EvaluationPeriods": 2,
            "DatapointsToAlarm": 1, "TreatMissingData": "breaching",
        })
    }

    #[test]
    fn the_alarm_of_a_template_is_read() {
        let spec = AlarmSpec::from_cfn("Logical", &properties()).expect("well formed");
        assert_eq!(spec.name, "vipward/c/redis/a/self");
        assert_eq!(spec.metric.label(), "SelfHealth{Service=redis}");
        assert_eq!((spec.period, spec.evaluated_every()), (10, 10));
        assert_eq!((spec.evaluation_periods, spec.datapoints_to_alarm), (2, 1));
        assert_eq!(spec.missing_data, MissingData::Breaching);
        assert_eq!(spec.bucket(Some(&StatisticSet::of(0.0, 1.0))), Bucket::Breaching);
        assert_eq!(spec.bucket(Some(&StatisticSet::of(1.0, 1.0))), Bucket::Good);
    }

    #[test]
    fn defaults_are_those_of_aws() {
        let mut bare = properties();
        for name in ["AlarmName", "DatapointsToAlarm", "TreatMissingData"] {
            bare.as_object_mut().expect("an object").remove(name);
        }
        let spec = AlarmSpec::from_cfn("Logical", &bare).expect("well formed");
        assert_eq!(spec.name, "Logical");
        assert_eq!(spec.datapoints_to_alarm, 2);
        assert_eq!(spec.missing_data, MissingData::Missing);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (name, value) in [
            ("Period", json!(15)),
            ("Period", json!(0)),
            ("Period", Value::Null),
            ("DatapointsToAlarm", json!(3)),
            ("EvaluationPeriods", json!(86_400)),
            ("Threshold", json!("NaN")),
            ("Statistic", json!("p99")),
            ("ExtendedStatistic", json!("p99")),
            ("Metrics", json!([])),
            ("ComparisonOperator", json!("LessThanLowerThreshold")),
            ("TreatMissingData", json!("bad")),
            ("MetricName", json!("")),
            ("Dimensions", json!([{"Name": "Service"}])),
        ] {
            let mut wrong = properties();
            wrong[name] = value;
            let error = AlarmSpec::from_cfn("Logical", &wrong).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn comparisons_compare() {
        let outcomes = Comparison::ALL.map(|c| [0.0, 1.0, 2.0].map(|value| c.breaches(value, 1.0)));
        assert_eq!(
            outcomes,
            [[false, false, true], [false, true, true], [true, false, false], [true, true, false]]
        );
    }

    #[test]
    fn ranges_end_on_the_grid_of_their_period() {
        for (period, end) in [(10, 130), (20, 120), (30, 120), (60, 120), (300, 120)] {
            let mut short = properties();
            short["Period"] = json!(period);
            let spec = AlarmSpec::from_cfn("a", &short).expect("well formed");
            assert_eq!(spec.range_end(139), end, "{period}");
        }
    }
}
