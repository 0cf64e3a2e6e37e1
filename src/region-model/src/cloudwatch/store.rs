//! The metric store: values by metric and second, each visible only some time after it came in.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::metric::{MetricId, StatisticSet};

/// Values as they were put: one entry a datum, so that each keeps its own time of becoming visible.
#[derive(Debug, Clone, Copy)]
struct Sample {
    visible_at: Timestamp,
    values: StatisticSet,
}

/// All metrics of an account in a region.
#[derive(Debug, Default)]
pub struct MetricStore {
    series: BTreeMap<MetricId, BTreeMap<i64, Vec<Sample>>>,
}

impl MetricStore {
    /// Keeps values of a metric at a Unix second; reads see them from `visible_at` on.
    pub fn put(&mut self, id: MetricId, second: i64, values: StatisticSet, visible_at: Timestamp) {
        let sample = Sample { visible_at, values };
        self.series.entry(id).or_default().entry(second).or_default().push(sample);
    }

    /// The non-empty buckets of `period` seconds from `start` up to, not including, `end`, as seen
    /// at `now`: values by the Unix second at which their bucket begins. Buckets are counted from
    /// `start`.
    pub fn buckets(
        &self,
        id: &MetricId,
        start: i64,
        end: i64,
        period: i64,
        now: Timestamp,
    ) -> BTreeMap<i64, StatisticSet> {
        let mut buckets: BTreeMap<i64, StatisticSet> = BTreeMap::new();
        if start >= end {
            return buckets;
        }
        let seconds = self.series.get(id).into_iter().flat_map(|s| s.range(start..end));
        for (second, samples) in seconds {
            let bucket = start + (second - start).div_euclid(period) * period;
            for sample in samples.iter().filter(|sample| sample.visible_at <= now) {
                buckets
                    .entry(bucket)
                    .and_modify(|values| *values = values.merge(sample.values))
                    .or_insert(sample.values);
            }
        }
        buckets
    }

    /// Every metric that has a value visible at `now`, in order.
    pub fn metrics(&self, now: Timestamp) -> impl Iterator<Item = &MetricId> {
        self.series.iter().filter_map(move |(id, seconds)| {
            seconds.values().flatten().any(|sample| sample.visible_at <= now).then_some(id)
        })
    }

    /// Forgets every value older than the Unix second `before`, and metrics that have none left.
    pub fn prune(&mut self, before: i64) {
        self.series.retain(|_, seconds| {
            *seconds = seconds.split_off(&before);
            !seconds.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch::Statistic;

    fn id() -> MetricId {
        MetricId { namespace: "N".to_owned(), name: "M".to_owned(), dimensions: BTreeMap::new() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn values_fall_into_buckets_and_merge() {
        let mut store = MetricStore::default();
        for (second, value) in [(0, 1.0), (9, 3.0), (10, 5.0), (30, 7.0)] {
            store.put(id(), second, StatisticSet::of(value, 1.0), at(0));
        }
        let sums: Vec<(i64, f64)> = store
            .buckets(&id(), 0, 30, 10, at(100))
            .into_iter()
            .map(|(second, values)| (second, values.get(Statistic::Sum)))
            .collect();
        assert_eq!(sums, [(0, 4.0), (10, 5.0)]);
        assert!(store.buckets(&id(), 30, 30, 10, at(100)).is_empty());
    }

    #[test]
    fn a_value_is_not_seen_before_its_time() {
        let mut store = MetricStore::default();
        store.put(id(), 5, StatisticSet::of(1.0, 1.0), at(8));
        assert!(store.buckets(&id(), 0, 10, 10, at(7)).is_empty());
        assert_eq!(store.metrics(at(7)).count(), 0);
        assert_eq!(store.buckets(&id(), 0, 10, 10, at(8)).len(), 1);
        assert_eq!(store.metrics(at(8)).count(), 1);
    }

    #[test]
    fn old_values_are_forgotten() {
        let mut store = MetricStore::default();
        store.put(id(), 5, StatisticSet::of(1.0, 1.0), at(5));
        store.prune(5);
        assert_eq!(store.metrics(at(9)).count(), 1);
        store.prune(6);
        assert_eq!(store.metrics(at(9)).count(), 0);
    }
}
