//! The operator's command: `check` and `render` a configuration, ask a cluster for its `status`
//! and have it `explain` itself.

pub mod failure;
pub mod options;
pub mod render;
pub mod said;

mod answer;
mod ask;
mod columns;
mod explanation;
mod invoke;
mod output;
mod summary;
mod table;

use std::path::Path;

use vipward_core::Config;

use failure::Failure;
use options::Command;
use said::Said;

/// Carries a command out. Files and AWS are touched here and below, the terminal is not.
///
/// # Errors
/// Why it could not be done.
pub async fn run(command: Command) -> Result<Said, Failure> {
    match command {
        Command::Check { file } => summary::check(&file),
        Command::Render(options) => output::render(&options),
        Command::Status(options) => ask::status(&options).await,
        Command::Explain { service, query } => ask::explain(service.as_ref(), &query).await,
    }
}

fn load(file: &Path) -> Result<Config, Failure> {
    Ok(Config::load(file, |path| std::fs::read_to_string(path))?)
}
