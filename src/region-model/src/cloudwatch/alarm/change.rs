//! A change of an alarm's state and the event that tells of it.

use serde_json::{Map, Value, json};

use super::spec::AlarmSpec;
use super::{State, stamp};
use crate::Place;
use crate::events::Envelope;
use crate::ids::stable_id;

/// An alarm went from one state to another.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmChange {
    /// What the alarm was told to do.
    pub spec: AlarmSpec,
    /// The state it left.
    pub previous: State,
    /// The state it is in.
    pub current: State,
}

impl AlarmChange {
    /// The "CloudWatch Alarm State Change" event. The same change gives the same event, id
    /// included.
    pub fn to_event(&self, place: &Place) -> Value {
        let arn = arn(place, &self.spec.name);
        let since = stamp(self.current.since);
        Envelope {
            id: stable_id(&[&arn, &since, self.current.value.as_str()]),
            source: "aws.cloudwatch".to_owned(),
            detail_type: "CloudWatch Alarm State Change".to_owned(),
            time: self.current.since,
            resources: vec![arn],
            detail: json!({
                "alarmName": self.spec.name,
                "configuration": self.configuration(),
                "previousState": state(&self.previous),
                "state": state(&self.current),
            }),
        }
        .to_event(place)
    }

    fn configuration(&self) -> Value {
        let spec = &self.spec;
        let mut configuration = Map::new();
        if let Some(description) = &spec.description {
            configuration.insert("description".to_owned(), json!(description));
        }
        let metric = json!({
            "id": stable_id(&[&spec.metric.namespace, &spec.metric.label()]),
            "metricStat": {
                "metric": {
                    "dimensions": spec.metric.dimensions,
                    "name": spec.metric.name,
                    "namespace": spec.metric.namespace,
                },
                "period": spec.period,
                "stat": spec.statistic.as_str(),
            },
            "returnData": true,
        });
        configuration.insert("metrics".to_owned(), json!([metric]));
        Value::Object(configuration)
    }
}

/// The ARN of an alarm.
pub fn arn(place: &Place, name: &str) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", place.region, place.account)
}

fn state(state: &State) -> Value {
    let mut value = json!({
        "value": state.value.as_str(),
        "timestamp": stamp(state.since),
        "reason": state.reason,
    });
    if let Some(data) = &state.reason_data {
        value["reasonData"] = json!(data);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::{Alarm, AlarmSpec};
    use super::*;
    use crate::cloudwatch::StatisticSet;

    #[test]
    fn the_event_is_shaped_as_aws_shapes_it() {
        let properties = json!({
            "AlarmDescription": "redis on a", "Namespace": "Vipward/c/a", "MetricName": "SelfHealth",
            "Dimensions": [{"Name": "Service", "Value": "redis"}], "Statistic": "Minimum", "Period": 10,
            "Threshold": 1, "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1,
        });
        let spec = AlarmSpec::from_cfn("vipward/c/redis/a/self", &properties).expect("well formed");
        let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let created = "2019-10-02T17:04:31.5Z".parse().expect("a time");
        let evaluated = "2019-10-02T17:04:40.0029Z".parse().expect("a time");
        let mut alarm = Alarm::new(spec, created);
        let start = alarm.range(0, evaluated).start;
        let change =
            alarm.judge(start, &[Some(StatisticSet::of(0.0, 2.0))], evaluated).expect("a change");
        let event = change.to_event(&place);
        let reason_data = event["detail"]["state"]["reasonData"].as_str().expect("JSON in a text");
        assert_eq!(
            serde_json::from_str::<Value>(reason_data).expect("JSON")["recentDatapoints"],
            json!([0.0])
        );
        let metric = stable_id(&["Vipward/c/a", "SelfHealth{Service=redis}"]);
        assert_eq!(
            event,
            json!({
                "version": "0", "id": event["id"], "detail-type": "CloudWatch Alarm State Change",
                "source": "aws.cloudwatch", "account": "123456789012", "time": "2019-10-02T17:04:40Z",
                "region": "us-east-1",
                "resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:vipward/c/redis/a/self"],
                "detail": {
                    "alarmName": "vipward/c/redis/a/self",
                    "configuration": {"description": "redis on a", "metrics": [{
                        "id": metric, "returnData": true,
                        "metricStat": {
                            "metric": {"dimensions": {"Service": "redis"}, "name": "SelfHealth", "namespace": "Vipward/c/a"},
                            "period": 10, "stat": "Minimum",
                        },
                    }]},
                    "previousState": {
                        "value": "INSUFFICIENT_DATA", "timestamp": "2019-10-02T17:04:31.500+0000",
                        "reason": "Unchecked: Initial alarm creation",
                    },
                    "state": {
                        "value": "ALARM", "timestamp": "2019-10-02T17:04:40.002+0000",
                        "reason": "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (02/10/19 17:04:30)] was less \
                                   than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition).",
                        "reasonData": reason_data,
                    },
                },
            })
        );
    }
}
