//! That a record holds enough to decide once more, and no more than a line takes.

use super::*;
use crate::fake::{World, config, start};
use crate::gather::{Haste, Scope, gather};
use crate::invocation::Invocation;
use crate::memory::Memory;
use crate::wake::WakeKind;
use jiff::SignedDuration;
use std::sync::Mutex;
use std::time::Duration;
use vipward_core::Verdict::{Healthy, Unhealthy};
use vipward_core::decide::decide;
use vipward_core::evidence::{Eni, Inventory, Observation, ObservationKey, Observations, Snapshot};
use vipward_core::observed::Observed;
use vipward_core::telemetry::AlarmName;

/// The evidence that a record tells of.
fn evidence(config: &Config, basis: &Basis, service: &ServiceName, decided: Timestamp) -> Evidence {
    let mut observations = Observations::default();
    observations.read.clone_from(&basis.read);
    for word in &basis.observations {
        let service = word.service.clone().unwrap_or_else(|| service.clone());
        let at = decided - SignedDuration::from_millis(word.age_ms);
        let since = at - SignedDuration::from_millis(word.held_ms);
        let value = Observation {
            verdict: word.verdict,
            since,
            leaving: word.leaving,
            unready: word.unready_ms.map(|ms| at - SignedDuration::from_millis(ms)),
        };
        if word.contested {
            let said = Observed { value, at };
            observations.add_contested(word.subject.clone(), service, said);
            continue;
        }
        if let Some(value) = word.primary {
            let is = Observed { value, at };
            observations.add_primary(word.observer.clone(), service.clone(), is);
        }
        if let Some(lag) = word.lag_ms {
            let lag = Observed { value: Duration::from_millis(lag), at };
            observations.add_lag(word.observer.clone(), service.clone(), lag);
        }
        let (observer, subject) = (word.observer.clone(), word.subject.clone());
        observations.add(ObservationKey { observer, subject, service }, Observed { value, at });
    }
    let eni = |interface: &Interface| Eni {
        subnet: String::new(),
        instance: interface.instance.clone(),
        addresses: interface.addresses.clone(),
        tags: interface.tags.clone(),
    };
    let enis = basis.interfaces.iter().map(|(id, interface)| (id.clone(), eni(interface)));
    Evidence {
        inventory: Inventory { enis: enis.collect(), stopped: basis.stopped.clone() },
        quiet_alarms: basis.alarms.as_ref().map(|troubled| {
            let all = AlarmName::all(config);
            all.filter(|alarm| !troubled.contains(&alarm.to_string())).collect()
        }),
        observations,
        refusals: basis.refusals.clone(),
        in_flight: basis.in_flight.clone(),
        unheard: basis.unheard.clone(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_holds_enough_to_decide_once_more() {
    let worlds: [crate::fake::Change; 5] = [
        |_| {},
        |state| state.ill_on_a("redis"),
        |state| {
            state.ill_on_a("redis");
            state.says("b", "b", "redis", Unhealthy);
        },
        |state| {
            state.ill_on_a("redis");
            state.contests("a", "redis");
            state.says("a", "a", "redis", Healthy);
        },
        |state| {
            state.says("a", "a", "redis", Healthy);
            state.says("b", "a", "redis", Unhealthy);
            state.stopped.insert("i-10.0.0.11".to_owned());
            state.failing.insert("DescribeAlarms");
        },
    ];
    for change in worlds {
        let (config, world) = (config(), World::new().with(change));
        let memory = Mutex::new(Memory::default());
        let (woken, deadline, wake) = (start(), world.deadline(), WakeKind::Alarm);
        let invocation = Invocation {
            config: &config,
            ports: &world,
            memory: &memory,
            wake,
            woken,
            brings_news: false,
            deadline,
        };
        let looked = gather(&invocation, invocation.hints(), &Scope::All, Haste::Thorough).await;
        let known = looked.expect("EC2 can be read").evidence;
        for (service, decided) in config.services.iter().zip(decide(Snapshot {
            config: &config,
            evidence: &known,
            now: woken,
        })) {
            let text = serde_json::to_string(&Basis::of(&config, &known, service, woken));
            let basis = serde_json::from_str(&text.expect("it is JSON")).expect("it is a basis");
            let again = evidence(&config, &basis, &service.name, woken);
            let again = decide(Snapshot { config: &config, evidence: &again, now: woken });
            let again = again.into_iter().find(|other| other.service == service.name);
            assert_eq!(again, Some(decided));
        }
    }
}

#[test]
fn what_is_too_much_for_a_line_is_left_out_and_counted() {
    use std::fmt::Write as _;
    let mut text = "cluster = \"test\"\nsubnet = \"10.0.0.0/16\"\n".to_owned();
    for index in 0..12 {
        let _ = write!(
            text,
            "[[node]]\nname = \"n{index}\"\naddress = \"10.0.1.{}\"\neni = \"eni-000000{index:02}\"\n",
            10 + index
        );
    }
    text += "[[service]]\nname = \"svc\"\nvip = \"10.0.0.201\"\ncheck = { kind = \"tcp\", port = 7001 }\n";
    let config = Config::parse("test", &text).expect("it is right");
    let mut known = Evidence::default();
    for observer in &config.nodes {
        for subject in &config.nodes {
            let key = ObservationKey {
                observer: observer.name.clone(),
                subject: subject.name.clone(),
                service: config.services[0].name.clone(),
            };
            let value =
                Observation { verdict: Healthy, since: start(), leaving: false, unready: None };
            known.observations.add(key, Observed { value, at: start() });
        }
    }
    let basis = Basis::of(&config, &known, &config.services[0], start());
    assert_eq!((basis.observations.len(), basis.left_out), (100, 44));
}
