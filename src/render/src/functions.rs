//! The two functions, made of one build, and what they stand on: configuration, logs, dead letters.

use serde_json::{Value, json};
use vipward_core::Config;

use super::parameters::{ARCHITECTURE, RESERVES_CONCURRENCY};
use super::place::Place;
use super::resource::{Resource, attribute, reference};

/// Where the functions' source lies, seen from the template.
pub const CODE: &str = "functions/failover";

/// The function that alone may move a VIP.
pub const FAILOVER: &str = "FailoverFunction";
/// The function that answers `status` and `explain`.
pub const QUERY: &str = "QueryFunction";
/// The log of the failover function.
pub const FAILOVER_LOG: &str = "FailoverLog";
/// The log of the query function.
pub const QUERY_LOG: &str = "QueryLog";
/// The queue of what no rule could hand over.
pub const DEAD_LETTERS: &str = "DeadLetters";

const CONFIG_LAYER: &str = "ConfigLayer";

/// Where Lambda unpacks layers.
const LAYERS: &str = "/opt";

/// What is known of a wake-up is stale after that long: the minute's schedule has come since.
pub const OLDEST_EVENT_SECONDS: u32 = 60;

/// Everything of this part.
pub fn resources(config: &Config, place: &Place) -> Vec<Resource> {
    vec![
        config_layer(config, place),
        failover(config, place),
        query(config, place),
        log(FAILOVER_LOG, &name_of(config, "failover"))
            .with_comment("Every decision is one JSON record in this log."),
        log(QUERY_LOG, &name_of(config, "query")),
        dead_letters().with_comment("Events that a rule could not deliver: the wiring is broken."),
    ]
}

/// The name of a function: `vipward-<cluster>-failover` or `vipward-<cluster>-query`.
pub fn name_of(config: &Config, role: &str) -> String {
    format!("vipward-{}-{role}", config.cluster)
}

fn config_layer(config: &Config, place: &Place) -> Resource {
    let mut layer = Resource::new(
        CONFIG_LAYER,
        "AWS::Serverless::LayerVersion",
        json!({
            "LayerName": format!("vipward-{}-config", config.cluster),
            "Description": format!("{} of cluster {}", place.file_name, config.cluster),
            "ContentUri": place.directory,
            "CompatibleRuntimes": ["provided.al2023"],
            "RetentionPolicy": "Delete",
        }),
    );
    layer.comment = "The configuration ships with the functions: reading it takes no call to AWS.";
    layer
}

fn failover(config: &Config, place: &Place) -> Resource {
    let mut properties = function(config, place, "failover", "FailoverRole", FAILOVER_LOG);
    properties["Timeout"] = 30.into();
    properties["ReservedConcurrentExecutions"] =
        json!({"Fn::If": [RESERVES_CONCURRENCY, 1, reference("AWS::NoValue")]});
    // Lambda's first retry comes after a minute: by then the schedule has looked afresh. So what
    // expires goes nowhere: of a burst that waits for the one function most wake-ups do, and they
    // are superfluous. Errors of the function have an alarm of their own.
    properties["EventInvokeConfig"] = json!({
        "MaximumEventAgeInSeconds": OLDEST_EVENT_SECONDS,
        "MaximumRetryAttempts": 0,
    });
    built(FAILOVER, properties).with_comment(
        "Only this function may move a VIP. It runs one at a time where concurrency is reserved.",
    )
}

fn query(config: &Config, place: &Place) -> Resource {
    let mut properties = function(config, place, "query", "QueryRole", QUERY_LOG);
    properties["Timeout"] = 15.into();
    built(QUERY, properties)
        .with_comment("The same build with a role that can only read: looking never blocks moving.")
}

fn function(config: &Config, place: &Place, role: &str, iam_role: &str, log: &str) -> Value {
    json!({
        "FunctionName": name_of(config, role),
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "CodeUri": CODE,
        "Architectures": [reference(ARCHITECTURE)],
        "MemorySize": 256,
        "Role": attribute(iam_role, "Arn"),
        "Layers": [reference(CONFIG_LAYER)],
        "LoggingConfig": {"LogGroup": reference(log)},
        "Environment": {
            "Variables": {
                "VIPWARD_ROLE": role,
                "VIPWARD_CONFIG": format!("{LAYERS}/{}", place.file_name),
            },
        },
    })
}

fn built(id: &str, properties: Value) -> Resource {
    let mut function = Resource::new(id, "AWS::Serverless::Function", properties);
    function.body["Metadata"] = json!({
        "BuildMethod": "rust-cargolambda",
        "BuildProperties": {"Binary": "bootstrap"},
    });
    function
}

fn log(id: &str, function: &str) -> Resource {
    let properties = json!({
        "LogGroupName": format!("/aws/lambda/{function}"),
        "RetentionInDays": 90,
    });
    Resource::new(id, "AWS::Logs::LogGroup", properties)
}

fn dead_letters() -> Resource {
    const TWO_WEEKS_SECONDS: u32 = 14 * 24 * 60 * 60;
    let properties = json!({
        "MessageRetentionPeriod": TWO_WEEKS_SECONDS,
        "SqsManagedSseEnabled": true,
    });
    Resource::new(DEAD_LETTERS, "AWS::SQS::Queue", properties)
}
