//! How a function's process is started: program, environment, pipes.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};
use vipward_region_model::Place;
use vipward_region_model::lambda::FunctionSpec;

use crate::world::LambdaFiles;

/// What every process of a function needs.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    bootstrap: PathBuf,
    layer: Option<PathBuf>,
    place: Place,
    endpoint: String,
}

impl Launch {
    pub(super) fn new(files: &LambdaFiles, place: Place, endpoint: String) -> Self {
        Self { bootstrap: files.bootstrap.clone(), layer: files.layer.clone(), place, endpoint }
    }

    /// Starts the process in a group of its own, so that it can be ended with all it started.
    pub(super) fn spawn(
        &self,
        function: &FunctionSpec,
        runtime_api: &str,
    ) -> std::io::Result<Child> {
        Command::new(&self.bootstrap)
            .env_clear()
            .envs(self.variables(function, runtime_api))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    /// Lambda's own variables, then the function's, as in a real environment.
    fn variables(&self, function: &FunctionSpec, runtime_api: &str) -> Vec<(String, String)> {
        let folder = self.bootstrap.parent().unwrap_or(Path::new("/"));
        let own = [
            ("_HANDLER", "bootstrap".to_owned()),
            ("AWS_ACCESS_KEY_ID", function.access_key_id()),
            ("AWS_DEFAULT_REGION", self.place.region.clone()),
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{runtime_api}")),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
            ("AWS_REGION", self.place.region.clone()),
            ("AWS_SECRET_ACCESS_KEY", "no-secret-is-checked-here".to_owned()),
            ("AWS_SESSION_TOKEN", "no-token-is-checked-here".to_owned()),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
            ("LAMBDA_TASK_ROOT", folder.display().to_string()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("TZ", ":UTC".to_owned()),
        ];
        let configured = function.environment.iter();
        own.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .chain(configured.map(|(name, value)| (name.clone(), self.in_layer(value))))
            .collect()
    }

    /// A path below `/opt`, where layers are, as a path below what stands for it.
    fn in_layer(&self, value: &str) -> String {
        match (value.strip_prefix("/opt/"), &self.layer) {
            (Some(below), Some(layer)) => layer.join(below).display().to_string(),
            _ => value.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_function_sees_lambdas_variables_and_its_own_with_the_layer_in_place() {
        let files =
            LambdaFiles { bootstrap: "/srv/fn/bootstrap".into(), layer: Some("/srv/layer".into()) };
        let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let function = FunctionSpec {
            name: "fail-over".to_owned(),
            arn: String::new(),
            timeout: SignedDuration::from_secs(3),
            memory_mb: 256,
            reserved: None,
            role: None,
            environment: BTreeMap::from([
                ("CONFIG".to_owned(), "/opt/vipward.toml".to_owned()),
                ("TZ".to_owned(), "Europe/Vienna".to_owned()),
            ]),
            max_event_age: SignedDuration::from_secs(60),
            max_retries: 2,
        };
        let launch = Launch::new(&files, place, "http://127.0.0.1:1".to_owned());
        let variables: BTreeMap<_, _> =
            launch.variables(&function, "127.0.0.1:2").into_iter().collect();
        for (name, wanted) in [
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:2"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ACCESS_KEY_ID", "ASIAFAILOVER"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("LAMBDA_TASK_ROOT", "/srv/fn"),
            ("CONFIG", "/srv/layer/vipward.toml"),
            ("TZ", "Europe/Vienna"),
        ] {
            assert_eq!(variables.get(name).map(String::as_str), Some(wanted), "{name}");
        }
    }
}
