//! Step `template`: the SAM application is valid, by the two tools that its users run.

use anyhow::Result;

use crate::install::python;
use crate::workspace::{self, Workspace};

/// Neither tool asks AWS for anything here; `sam` wants a region to be named all the same.
pub fn run(workspace: &Workspace) -> Result<()> {
    let tools = [python::TOOLS.programs(workspace)];
    let tool = |name: &str| {
        let mut command = workspace.command_with(tools[0].join(name), &tools);
        command.env("AWS_DEFAULT_REGION", "us-east-1").env("SAM_CLI_TELEMETRY", "0");
        command
    };
    workspace::run(tool("sam").args(["validate", "--lint", "--template", "template.yaml"]))?;
    workspace::run(tool("cfn-lint").arg("template.yaml"))
}
