//! Metrics that are there only while something is wrong: AWS bills each for the hours in which it
//! is published.
//!
//! Sans-I/O. A value says that there is trouble when it is not 0. The end of it is told once.

use std::collections::BTreeSet;

use vipward_core::ServiceName;

use crate::datum::Datum;

/// What was last told of.
#[derive(Debug, Clone, Default)]
pub struct Troubles(BTreeSet<(&'static str, Option<ServiceName>)>);

impl Troubles {
    /// Of these values those that are to be published: trouble, and its end.
    pub fn to_tell(&self, mut data: Vec<Datum>) -> Vec<Datum> {
        data.retain(|datum| is_trouble(datum) || self.0.contains(&key(datum)));
        data
    }

    /// These were published.
    pub fn told(&mut self, data: &[Datum]) {
        for datum in data {
            if is_trouble(datum) {
                self.0.insert(key(datum));
            } else {
                self.0.remove(&key(datum));
            }
        }
    }
}

/// Adds to what is said of each service what it comes to on the whole host, for one alarm.
pub fn with_host(metric: &'static str, of_services: Vec<(ServiceName, bool)>) -> Vec<Datum> {
    let host = Datum::trouble(metric, None, of_services.iter().any(|(_, is)| *is));
    let datum = |(service, is)| Datum::trouble(metric, Some(service), is);
    of_services.into_iter().map(datum).chain([host]).collect()
}

fn is_trouble(datum: &Datum) -> bool {
    datum.value != 0.0
}

fn key(datum: &Datum) -> (&'static str, Option<ServiceName>) {
    (datum.metric, datum.service.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_while_it_lasts_and_its_end_once() {
        let service = |name: &str| -> ServiceName { name.parse().expect("a name") };
        let mut troubles = Troubles::default();
        let mut told = |web: bool, api: bool| {
            let services = vec![(service("web"), web), (service("api"), api)];
            let data = troubles.to_tell(with_host("X", services));
            troubles.told(&data);
            let word = |datum: &Datum| {
                let name = datum.service.as_ref().map_or("host", ServiceName::as_str);
                format!("{name} {}", datum.value)
            };
            data.iter().map(word).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(false, false), "");
        assert_eq!(told(true, false), "web 1, host 1");
        assert_eq!(told(true, true), "web 1, api 1, host 1");
        assert_eq!(told(false, true), "web 0, api 1, host 1");
        assert_eq!(told(false, false), "api 0, host 0");
        assert_eq!(told(false, false), "");
    }

    #[test]
    fn the_end_is_told_until_somebody_takes_it() {
        let mut troubles = Troubles::default();
        let say = |is| vec![Datum::trouble("X", None, is)];
        troubles.told(&say(true));
        for _ in 0..2 {
            assert_eq!(troubles.to_tell(say(false)), say(false));
        }
        troubles.told(&say(false));
        assert_eq!(troubles.to_tell(say(false)), []);
    }
}
