//! Which API a request calls, and who calls it, before anything of it is carried out.

use super::form::Params;
use super::{Request, cloudwatch, ec2, events, lambda};

/// The services that one listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Ec2,
    /// CloudWatch, whose signatures say `monitoring`.
    CloudWatch,
    Events,
    Lambda,
}

impl Service {
    /// IAM's prefix of the service.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::CloudWatch => "cloudwatch",
            Self::Events => "events",
            Self::Lambda => "lambda",
        }
    }

    fn of_signature(name: &str) -> Option<Self> {
        match name {
            "ec2" => Some(Self::Ec2),
            "monitoring" => Some(Self::CloudWatch),
            "events" => Some(Self::Events),
            "lambda" => Some(Self::Lambda),
            _ => None,
        }
    }

    /// What an unsigned request shows of itself.
    fn of_shape(request: &Request) -> Option<Self> {
        let target = request.header("x-amz-target").unwrap_or_default();
        if request.path.starts_with("/2015-03-31/") {
            Some(Self::Lambda)
        } else if target.starts_with("AWSEvents.") {
            Some(Self::Events)
        } else if target.starts_with(GRANITE) || request.path.starts_with("/service/") {
            Some(Self::CloudWatch)
        } else {
            match Params::parse(&request.body).get("Version")? {
                "2016-11-15" => Some(Self::Ec2),
                "2010-08-01" => Some(Self::CloudWatch),
                _ => None,
            }
        }
    }
}

/// What the names of operations that change nothing begin with.
const LOOKING: [&str; 4] = ["Describe", "Get", "List", "Test"];

const GRANITE: &str = "GraniteServiceVersion20100801";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub service: Service,
    /// The operation, as the service names it; empty when the request names none.
    pub operation: String,
    /// Access key id of the caller, `-` for an unsigned request.
    pub principal: String,
}

impl Call {
    /// Reads the service from the signature's scope (or, unsigned, from the request's shape) and
    /// the operation from wherever the protocol has it. `None` when no service can be told.
    pub fn read(request: &Request) -> Option<Self> {
        let scope = request.header("authorization").and_then(scope);
        let (principal, service) = match scope {
            Some((key, service)) => (key, Service::of_signature(service)?),
            None => ("-", Service::of_shape(request)?),
        };
        Some(Self {
            service,
            operation: operation(service, request),
            principal: principal.to_owned(),
        })
    }

    /// Whether it changes something: all that does not say that it only looks.
    pub fn changes(&self) -> bool {
        !LOOKING.iter().any(|verb| self.operation.starts_with(verb))
    }

    /// `service:Operation`, as faults and IAM name it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.operation)
    }
}

/// Access key id and service of `... Credential=AKID/20260102/us-east-1/ec2/aws4_request, ...`.
fn scope(authorization: &str) -> Option<(&str, &str)> {
    let (_, credential) = authorization.split_once("Credential=")?;
    let mut parts = credential.split([',', ' ']).next()?.split('/');
    let key = parts.next()?;
    Some((key, parts.nth(2)?))
}

fn operation(service: Service, request: &Request) -> String {
    match service {
        Service::Ec2 => ec2::operation(request),
        Service::CloudWatch => cloudwatch::operation(request),
        Service::Events => events::operation(request),
        Service::Lambda => lambda::operation(request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, headers: &[(&str, &str)], body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.into(),
            ..Request::default()
        }
    }

    #[test]
    fn every_protocol_names_its_service_and_operation() {
        let signed = |service: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
            )
        };
        let (ec2, monitoring) = (signed("ec2"), signed("monitoring"));
        let table = [
            (request("/", &[("authorization", &ec2)], "Action=DescribeTags"), "ec2:DescribeTags"),
            (
                request(
                    "/service/GraniteServiceVersion20100801/operation/PutMetricData",
                    &[("authorization", &monitoring)],
                    "",
                ),
                "cloudwatch:PutMetricData",
            ),
            (
                request("/", &[("authorization", &monitoring)], "Action=PutMetricData"),
                "cloudwatch:PutMetricData",
            ),
            (request("/", &[("x-amz-target", "AWSEvents.PutEvents")], "{}"), "events:PutEvents"),
            (request("/2015-03-31/functions/f/invocations", &[], "{}"), "lambda:Invoke"),
            (request("/", &[], "Action=DescribeTags&Version=2016-11-15"), "ec2:DescribeTags"),
        ];
        for (request, wanted) in table {
            let call = Call::read(&request).expect(wanted);
            assert_eq!(call.name(), wanted);
            let signed = request.header("authorization").is_some();
            assert_eq!(call.principal, if signed { "AKIDEXAMPLE" } else { "-" }, "{wanted}");
        }
    }

    #[test]
    fn only_what_looks_changes_nothing() {
        let call = |operation: &str| Call {
            service: Service::Ec2,
            operation: operation.to_owned(),
            principal: String::new(),
        };
        for changes in ["AssignPrivateIpAddresses", "CreateTags", "PutMetricData", "Invoke"] {
            assert!(call(changes).changes(), "{changes}");
        }
        for looks in ["DescribeTags", "GetMetricData", "ListMetrics", "TestEventPattern"] {
            assert!(!call(looks).changes(), "{looks}");
        }
    }

    #[test]
    fn what_no_service_takes_is_none() {
        let s3 = "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/s3/aws4_request";
        assert_eq!(Call::read(&request("/", &[("authorization", s3)], "")), None);
        assert_eq!(Call::read(&request("/", &[], "hello")), None);
    }
}
