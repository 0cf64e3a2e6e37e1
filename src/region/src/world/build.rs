//! From a world file to the region it describes.

use jiff::{SignedDuration, Timestamp};
use vipward_region_model::cloudwatch::{self, CloudWatch};
use vipward_region_model::ec2::inventory::Subnet;
use vipward_region_model::ec2::{self, Ec2, NewInstance};
use vipward_region_model::events::{self, EventBridge};
use vipward_region_model::fault::Faults;
use vipward_region_model::iam::Iam;
use vipward_region_model::imds::{self, Imds};
use vipward_region_model::journal::JournalEvent;
use vipward_region_model::lambda::{self, Lambda};
use vipward_region_model::template::Template;
use vipward_region_model::{Place, Region};

use super::{World, WorldError, read};

/// Invocations at a time of all functions of an account, AWS's default quota.
const ACCOUNT_CONCURRENCY: u32 = 1000;

/// How long metric values are kept: what AWS does for those finer than a minute.
const METRIC_RETENTION: SignedDuration = SignedDuration::from_hours(3);

/// A region at its start, and what its journal begins with.
#[derive(Debug)]
pub struct Built {
    pub region: Region,
    /// What of the template was left aside.
    pub events: Vec<JournalEvent>,
}

impl World {
    pub fn build(&self, now: Timestamp) -> Result<Built, WorldError> {
        let place = self.place();
        let template = self.read_template(&place)?;
        let mut faults = Faults::default();
        faults.add(self.faults.clone(), now);
        let iam = self.iam(&template)?;
        let mut region = Region {
            ec2: self.ec2(now)?,
            cloudwatch: CloudWatch::new(self.cloudwatch_settings(&place)),
            events: EventBridge::new(events::Settings {
                place: place.clone(),
                event_delivery: self.delays.event_delivery,
            }),
            lambda: Lambda::new(self.lambda_settings(), template.functions),
            imds: Imds::new(imds::Settings { lag: self.delays.imds_lag }),
            iam,
            faults,
            place,
        };
        for alarm in template.alarms {
            region.cloudwatch.put_alarm(alarm, now);
        }
        for rule in template.rules {
            region.events.put_rule(rule, now);
        }
        let ignored = template.ignored.into_iter();
        Ok(Built {
            region,
            events: ignored
                .map(|(kind, count)| JournalEvent::TemplateIgnored { kind, count })
                .collect(),
        })
    }

    fn read_template(&self, place: &Place) -> Result<Template, WorldError> {
        let Some(path) = &self.template else {
            return Ok(Template::default());
        };
        let template = Template::parse(&read(path)?, place)
            .map_err(|source| WorldError::Template { path: path.clone(), source })?;
        if !template.functions.is_empty() && self.lambda.is_none() {
            return Err(WorldError::NoBootstrap);
        }
        Ok(template)
    }

    /// The template's roles, with the functions and instances that have them.
    fn iam(&self, template: &Template) -> Result<Iam, WorldError> {
        let mut iam = Iam::new(template.roles.iter().cloned());
        for function in &template.functions {
            iam.bind(function.access_key_id(), function.role.as_deref().unwrap_or_default());
        }
        for instance in &self.instances {
            let Some(profile) = &instance.profile else {
                continue;
            };
            let role = template.host_roles.get(profile);
            let role = role.ok_or_else(|| WorldError::NoProfile(profile.clone()))?;
            iam.bind(imds::access_key_id(&instance.id), role);
            if let Some(access_key) = &instance.access_key {
                iam.bind(access_key, role);
            }
        }
        Ok(iam)
    }

    fn ec2(&self, now: Timestamp) -> Result<Ec2, WorldError> {
        let settings = ec2::Settings {
            describe_lag: self.delays.describe_lag,
            assigned_again: self.answers.assigned_again,
        };
        let subnets = self.subnets.iter().map(|entry| Subnet {
            id: entry.id.clone(),
            cidr: entry.cidr,
            vpc: entry.vpc.clone(),
            zone: entry.zone.clone().unwrap_or_else(|| format!("{}a", self.region)),
        });
        let mut ec2 = Ec2::new(settings, subnets);
        for entry in &self.instances {
            let instance = NewInstance {
                id: entry.id.clone(),
                kind: entry.kind.clone(),
                eni: entry.eni.clone(),
                mac: entry.mac.clone(),
                subnet: entry.subnet.clone(),
                address: entry.address,
                secondaries: entry.secondaries.clone(),
            };
            ec2.launch(instance, now)
                .map_err(|source| WorldError::Instance { id: entry.id.clone(), source })?;
        }
        Ok(ec2)
    }

    fn cloudwatch_settings(&self, place: &Place) -> cloudwatch::Settings {
        cloudwatch::Settings {
            place: place.clone(),
            metric_ingestion: self.delays.metric_ingestion,
            alarm_lag: self.delays.alarm_lag,
            evaluation_range_extra: self.delays.alarm_evaluation_range_extra,
            retention: METRIC_RETENTION,
        }
    }

    fn lambda_settings(&self) -> lambda::Settings {
        lambda::Settings {
            init_timeout: self.delays.lambda_init,
            error_retry: self.delays.lambda_error_retry,
            throttle_first: self.delays.lambda_throttle_first,
            throttle_most: self.delays.lambda_throttle_most,
            account_concurrency: ACCOUNT_CONCURRENCY,
        }
    }
}
