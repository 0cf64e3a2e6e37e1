//! `status` and `explain`: ask the query function, and put its answer into words.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vipward_core::{Config, Exit, ServiceName};
use vipward_render::function_name;

use crate::answer::{Answer, Choice, ServiceState};
use crate::explanation::explanation;
use crate::failure::Failure;
use crate::invoke::invoke;
use crate::load;
use crate::options::{OutputFormat, QueryOptions};
use crate::said::Said;
use crate::table::table;

/// Shows who holds each VIP.
///
/// # Errors
/// A bad file, or no answer.
pub async fn status(options: &QueryOptions) -> Result<Said, Failure> {
    let config = configuration(options)?;
    ask(options, config.as_ref(), &json!({"command": "status"}), table).await
}

/// Shows the evidence behind each decision.
///
/// # Errors
/// A bad file, a service that is not in it, or no answer.
pub async fn explain(
    service: Option<&ServiceName>,
    options: &QueryOptions,
) -> Result<Said, Failure> {
    let config = configuration(options)?;
    let mut request = json!({"command": "explain"});
    if let Some(service) = service {
        if let Some(config) = &config {
            known(config, service)?;
        }
        request["service"] = service.as_str().into();
    }
    ask(options, config.as_ref(), &request, explanation).await
}

/// The file is needed for the function's name only.
fn configuration(options: &QueryOptions) -> Result<Option<Config>, Failure> {
    match options.function {
        Some(_) => Ok(None),
        None => load(&options.config).map(Some),
    }
}

fn known(config: &Config, service: &ServiceName) -> Result<(), Failure> {
    if config.service(service).is_some() {
        return Ok(());
    }
    Err(Failure::no_such_service(config, service))
}

async fn ask(
    options: &QueryOptions,
    config: Option<&Config>,
    request: &Value,
    in_words: fn(&Answer) -> String,
) -> Result<Said, Failure> {
    let named = options.function.clone();
    let by_file = config.map(|config| function_name(config, "query"));
    let function = named.or(by_file).unwrap_or_default();
    let payload = invoke(&function, request).await?;
    let answer: Answer =
        serde_json::from_slice(&payload).map_err(|source| Failure::Answer { function, source })?;
    let data = match options.output {
        OutputFormat::Text => in_words(&answer),
        OutputFormat::Json => format!("{}\n", String::from_utf8_lossy(&payload)),
    };
    let degraded = answer.services.iter().any(ServiceState::is_degraded);
    Ok(Said {
        data,
        talk: talk(&answer, config),
        exit: if degraded { Exit::Degraded } else { Exit::Fine },
    })
}

/// What a person should know besides the answer.
fn talk(answer: &Answer, config: Option<&Config>) -> String {
    let mut talk = String::new();
    for state in answer.services.iter().filter(|state| state.is_degraded()) {
        let look = match &state.choice {
            Choice::Hold { reason } if state.has_no_standby() => {
                format!("has no standby: no other node could take it now ({reason})")
            }
            Choice::Hold { reason } => format!("needs attention: {reason}"),
            due @ Choice::Move { .. } => format!("is due to {due}"),
        };
        let _ = writeln!(talk, "degraded: {} {look}", state.service);
    }
    for (node, drain) in &answer.drained {
        let why = if drain.reason.is_empty() { "no reason given" } else { &drain.reason };
        let _ = writeln!(talk, "drained: {node} until {} by {}: {why}", drain.until, drain.owner);
    }
    if config.is_some_and(|config| config.digest() != answer.config_digest) {
        talk.push_str("warning: the function runs another configuration than this one\n");
        talk.push_str("hint: render and deploy this one, or fetch the deployed one\n");
    }
    talk
}
