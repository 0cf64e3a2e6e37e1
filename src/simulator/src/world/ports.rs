//! The function's ports in virtual time: each call is a trip to the region's model and back. All
//! that is ever awaited is a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vipward_core::evidence::{Eni, Inventory};
use vipward_core::name::ServiceName;
use vipward_core::plan::Reassign;
use vipward_core::telemetry::{AlarmName, FUNCTION_SOURCE, alarm_prefix};
use vipward_core::{Config, EniId, VipAddr};
use vipward_reconcile::notice::Notice;
use vipward_reconcile::ports::{PortError, Ports, Published};
use vipward_reconcile::series::{self, PERIOD, Point, Question, questions};
use vipward_region_model::ApiError;
use vipward_region_model::Region;
use vipward_region_model::cloudwatch::alarm::StateValue;
use vipward_region_model::cloudwatch::{MetricId, Statistic, StatisticSet};
use vipward_region_model::ec2::Class;
use vipward_region_model::ec2::inventory::{InstanceState, Interface};
use vipward_region_model::events::Envelope;
use vipward_region_model::lambda::EnvironmentId;

use crate::audit::call_log::{Look, Read};
use crate::world::cloud::{Cloud, Shared, Trip};

/// The function's patience with one call to EC2, by `aws/clients.rs`: it is sent once.
const EC2_PATIENCE: Duration = Duration::from_secs(2);
/// The same with a call to EventBridge.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same with the reads of CloudWatch.
const SHORT_PATIENCE: Duration = Duration::from_millis(2_500);
/// When a client knows that no answer comes: its connection broke.
const BROKEN: Duration = Duration::from_millis(500);

/// What one environment of the function calls.
#[derive(Clone)]
pub struct FunctionPorts {
    pub cloud: Shared,
    pub environment: EnvironmentId,
}

/// A moment that is waited for.
struct Moment {
    ports: FunctionPorts,
    at: Timestamp,
}

impl Future for Moment {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let mut cloud = self.ports.cloud.lock();
        if cloud.now >= self.at {
            return Poll::Ready(());
        }
        cloud.wake_at(self.at, self.ports.environment);
        Poll::Pending
    }
}

/// An operation as faults and throttles know it.
#[derive(Clone, Copy)]
struct Operation {
    /// `ec2:CreateTags` for example.
    name: &'static str,
    class: Option<Class>,
    patience: Duration,
}

impl Operation {
    const fn ec2(name: &'static str, class: Class) -> Self {
        Self { name, class: Some(class), patience: EC2_PATIENCE }
    }

    const fn other(name: &'static str, patience: Duration) -> Self {
        Self { name, class: None, patience }
    }

    fn call(self) -> &'static str {
        self.name.split_once(':').map_or(self.name, |(_, call)| call)
    }

    fn unanswered(self) -> PortError {
        let cause = "no answer in time".to_owned();
        PortError::Uncertain { call: self.call(), cause }
    }

    fn answered(self, error: &ApiError) -> PortError {
        PortError::answered(self.call(), error.status, &error.code, error.to_string())
    }

    fn outcome(self, answer: Option<Result<(), ApiError>>) -> Result<(), PortError> {
        answer.ok_or_else(|| self.unanswered())?.map_err(|error| self.answered(&error))
    }

    fn admit(self, region: &mut Region, now: Timestamp) -> Result<(), ApiError> {
        self.class.map_or(Ok(()), |class| region.ec2.admit(class, now))
    }
}

impl FunctionPorts {
    fn moment(&self, at: Timestamp) -> Moment {
        Moment { ports: self.clone(), at }
    }

    fn sets_out(&self, operation: Operation) -> Trip {
        let mut cloud = self.cloud.lock();
        cloud.call_logs.counts(operation.name);
        cloud.sets_out(operation.name)
    }

    /// When the caller gives up, if that is before the answer.
    async fn gives_up(&self, operation: Operation, trip: &Trip) -> bool {
        let out = self.cloud.lock().now;
        let patience = if trip.hit.lost_reply { BROKEN } else { operation.patience };
        let patience = out + patience;
        if !trip.hit.lost_reply && trip.answered <= patience {
            return false;
        }
        self.moment(patience).await;
        true
    }

    async fn read<T>(
        &self,
        operation: Operation,
        look: impl FnOnce(&mut Cloud, SignedDuration) -> T,
    ) -> Result<T, PortError> {
        let trip = self.sets_out(operation);
        if self.gives_up(operation, &trip).await {
            return Err(operation.unanswered());
        }
        self.moment(trip.arrives).await;
        let seen = {
            let mut cloud = self.cloud.lock();
            let now = cloud.now;
            match trip.hit.error {
                Some(error) => Err(error),
                None => operation.admit(&mut cloud.region, now),
            }
            .map(|()| look(&mut cloud, trip.hit.stale))
        };
        self.moment(trip.answered).await;
        seen.map_err(|error| operation.answered(&error))
    }

    /// The effect comes when the call arrives, whether anybody still waits for the answer or not.
    /// `noted` puts it down as it is sent, with the moment of its arrival. No answer is `None`.
    async fn ask(
        &self,
        operation: Operation,
        noted: impl FnOnce(&mut Cloud, Timestamp) + Send,
        effect: impl FnOnce(&mut Region, Timestamp) -> Result<(), ApiError> + Send + 'static,
    ) -> Option<Result<(), ApiError>> {
        let answer = Arc::new(Mutex::new(Ok(())));
        let trip = self.sets_out(operation);
        {
            let mut cloud = self.cloud.lock();
            noted(&mut cloud, trip.arrives);
            let (answer, error) = (answer.clone(), trip.hit.error.clone());
            cloud.post(trip.arrives, move |region, now| {
                let outcome = match error {
                    Some(error) => Err(error),
                    None => operation.admit(region, now).and_then(|()| effect(region, now)),
                };
                *answer.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
            });
        }
        if self.gives_up(operation, &trip).await {
            return None;
        }
        self.moment(trip.answered).await;
        Some(answer.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn write(
        &self,
        operation: Operation,
        noted: impl FnOnce(&mut Cloud, Timestamp) + Send,
        effect: impl FnOnce(&mut Region, Timestamp) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), PortError> {
        operation.outcome(self.ask(operation, noted, effect).await)
    }
}

/// Whether EC2 answers that way before any effect: its own errors say nothing of what was done.
fn settles(answer: &Result<(), ApiError>) -> bool {
    match answer {
        Ok(()) => true,
        Err(error) => !matches!(error.code.as_ref(), "InternalError" | "InternalFailure"),
    }
}

impl Ports for FunctionPorts {
    fn now(&self) -> Timestamp {
        self.cloud.lock().now
    }

    async fn pause(&self, duration: Duration) {
        let until = self.now() + duration;
        self.moment(until).await;
    }

    async fn inventory(&self, config: &Config) -> Result<Inventory, PortError> {
        let operation = Operation::ec2("ec2:DescribeNetworkInterfaces", Class::Describe);
        let asked = self.now();
        let read = self.read(operation, |cloud, stale| {
            let seen = cloud.region.ec2.seen(cloud.now, stale);
            let ours = |interface: &&Interface| {
                let named = config.nodes.iter().any(|node| node.eni.as_str() == interface.id);
                let has_vip = |address| config.services.iter().any(|s| s.vip.0 == address);
                named || interface.addresses().any(has_vip)
            };
            let enis = seen.interfaces.values().filter(ours).filter_map(described).collect();
            (Inventory { enis, stopped: BTreeSet::new() }, Look::at(config, seen))
        });
        let (inventory, look) = read.await?;
        let mut cloud = self.cloud.lock();
        let read = Read { asked, arrived: cloud.now };
        cloud.call_logs.told(self.environment, read, look);
        Ok(inventory)
    }

    async fn stopped_instances(&self, config: &Config) -> Result<BTreeSet<String>, PortError> {
        let operation = Operation::ec2("ec2:DescribeInstances", Class::Describe);
        let stopped: BTreeMap<String, String> = self
            .read(operation, |cloud, stale| {
                let seen = cloud.region.ec2.seen(cloud.now, stale);
                let ours = |eni: &str| config.nodes.iter().any(|node| node.eni.as_str() == eni);
                let stopped = seen.instances.values().filter(|instance| {
                    !matches!(instance.state, InstanceState::Pending | InstanceState::Running)
                        && ours(&instance.eni)
                });
                stopped.map(|instance| (instance.id.clone(), instance.eni.clone())).collect()
            })
            .await?;
        self.cloud.lock().call_logs.stopped(self.environment, stopped.values().cloned());
        Ok(stopped.into_keys().collect())
    }

    async fn quiet_alarms(&self, config: &Config) -> Result<BTreeSet<AlarmName>, PortError> {
        let operation = Operation::other("cloudwatch:DescribeAlarms", SHORT_PATIENCE);
        let prefix = alarm_prefix(&config.cluster);
        self.read(operation, |cloud, _| {
            let alarms = cloud.region.cloudwatch.described_alarms(cloud.now);
            let quiet = alarms.filter(|(alarm, shown)| {
                shown.value == StateValue::Ok && alarm.spec.name.starts_with(&prefix)
            });
            quiet.filter_map(|(alarm, _)| alarm.spec.name.parse().ok()).collect()
        })
        .await
    }

    async fn metrics(
        &self,
        config: &Config,
        services: &BTreeSet<ServiceName>,
        since: Timestamp,
    ) -> Result<Published, PortError> {
        let operation = Operation::other("cloudwatch:GetMetricData", SHORT_PATIENCE);
        let read = self.read(operation, |cloud, _| {
            let mut published = Published::default();
            for asked in questions(config, services) {
                let points = points(cloud, config, &asked, since);
                published.take(&asked, &points, config.policy.uncontested_after());
            }
            published
        });
        let published = read.await?;
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        cloud.call_logs.hears(self.environment, now);
        Ok(published)
    }

    async fn assign(
        &self,
        eni: &EniId,
        vips: &[VipAddr],
        reassign: Reassign,
    ) -> Result<(), PortError> {
        let operation = Operation::ec2("ec2:AssignPrivateIpAddresses", Class::Assign);
        let addresses: Vec<_> = vips.iter().map(|vip| vip.0).collect();
        let (eni, call) = (eni.to_string(), (eni.to_string(), addresses.clone()));
        let serial = self.cloud.lock().call_logs.next_serial();
        let noted = |cloud: &mut Cloud, arrives| {
            let times = (cloud.now, arrives);
            cloud.call_logs.assigns(self.environment, (serial, reassign), times, call);
        };
        let effect = move |region: &mut Region, now| {
            region.ec2.assign(&eni, &addresses, reassign == Reassign::Allowed, now).map(|_| ())
        };
        let answer = self.ask(operation, noted, effect).await;
        if answer.as_ref().is_some_and(settles) {
            self.cloud.lock().call_logs.settles(self.environment, serial);
        }
        operation.outcome(answer)
    }

    async fn tag(&self, eni: &EniId, tags: &BTreeMap<String, String>) -> Result<(), PortError> {
        let operation = Operation::ec2("ec2:CreateTags", Class::Mutating);
        let (eni, tags) = (eni.to_string(), tags.clone());
        let written = (eni.clone(), tags.clone());
        let noted =
            |cloud: &mut Cloud, _| cloud.call_logs.writes(self.environment, written.0, written.1);
        self.write(operation, noted, move |region, now| region.ec2.create_tags(&[eni], &tags, now))
            .await
    }

    async fn announce(&self, notice: &Notice) -> Result<(), PortError> {
        let operation = Operation::other("events:PutEvents", PATIENCE);
        let Notice { detail_type, detail, .. } = notice.clone();
        self.write(
            operation,
            |_, _| {},
            move |region, now| {
                put_event(region, FUNCTION_SOURCE, detail_type, detail, now, now);
                Ok(())
            },
        )
        .await
    }
}

/// Puts an event onto the bus.
pub fn put_event(
    region: &mut Region,
    source: &str,
    detail_type: &str,
    detail: serde_json::Value,
    said: Timestamp,
    now: Timestamp,
) {
    let envelope = Envelope {
        id: region.events.next_id(),
        source: source.to_owned(),
        detail_type: detail_type.to_owned(),
        time: said,
        resources: Vec::new(),
        detail,
    };
    let event = envelope.to_event(&region.place);
    region.events.offer(&event, now);
}

fn described(interface: &Interface) -> Option<(EniId, Eni)> {
    let eni = Eni {
        subnet: interface.subnet.clone(),
        instance: Some(interface.instance.clone()),
        addresses: interface.addresses().collect(),
        tags: interface.tags.clone(),
    };
    Some((interface.id.parse().ok()?, eni))
}

fn points(cloud: &Cloud, config: &Config, asked: &Question, since: Timestamp) -> Vec<Point> {
    let dimensions = asked.dimensions().into_iter();
    let metric = MetricId {
        namespace: asked.namespace(config),
        name: asked.metric().to_owned(),
        dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    let seconds = since.as_second()..cloud.now.as_second() + 1;
    let buckets = cloud.region.cloudwatch.read(&metric, seconds, PERIOD, cloud.now);
    let by_statistic = asked.statistics().iter().map(|asked| {
        let statistic = match asked {
            series::Statistic::Minimum => Statistic::Minimum,
            series::Statistic::Maximum => Statistic::Maximum,
        };
        let value = |(second, values): (i64, StatisticSet)| {
            Some((Timestamp::from_second(second).ok()?, values.get(statistic)))
        };
        (*asked, buckets.clone().into_iter().filter_map(value).collect())
    });
    Point::of_all(&by_statistic.collect::<Vec<_>>())
}
