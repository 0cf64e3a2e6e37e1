//! What a call asks IAM for, read from its bytes, and each service's way to say no.

use vipward_region_model::Place;
use vipward_region_model::iam::{Ask, Denied};

use super::call::{Call, Service};
use super::{ApiError, Request, cloudwatch, ec2, events, lambda};

/// Reads what a call asks for. What cannot be read is not there, and so never allowed by it.
pub fn read(call: &Call, request: &Request, place: &Place) -> Ask {
    let (mut resources, context) = match call.service {
        Service::Ec2 => ec2::access(request, place),
        Service::CloudWatch => cloudwatch::access(request),
        Service::Events => events::access(request, place),
        Service::Lambda => lambda::access(request, place),
    };
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    let action = match (call.service, call.operation.as_str()) {
        (Service::Lambda, "Invoke") => "lambda:InvokeFunction".to_owned(),
        _ => call.name(),
    };
    Ask { action, resources, context }
}

/// The error that a caller gets who may not.
pub fn refusal(call: &Call, request: &Request, ask: &Ask, denied: &Denied) -> ApiError {
    let session = denied.role.replacen(":iam:", ":sts:", 1);
    let session = session.replacen(":role/", ":assumed-role/", 1);
    let (action, principal) = (&ask.action, &call.principal);
    let on = match denied.resource.as_str() {
        "*" => String::new(),
        resource => format!(" on resource: {resource}"),
    };
    let told = format!(
        "User: {session}/{principal} is not authorized to perform: {action}{on} because no \
         identity-based policy allows the {action} action"
    );
    match call.service {
        Service::Ec2 => ApiError::new(
            "UnauthorizedOperation",
            403,
            format!("You are not authorized to perform this operation. {told}"),
        ),
        Service::CloudWatch => {
            ApiError::new("AccessDenied", cloudwatch::denial_status(request), told)
        }
        Service::Events => ApiError::new("AccessDeniedException", 400, told),
        Service::Lambda => ApiError::new("AccessDeniedException", 403, told),
    }
}

#[cfg(test)]
mod tests;
