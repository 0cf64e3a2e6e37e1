//! The operator's command: `check` and `render` a configuration, ask a cluster for its `status`,
//! have it `explain` itself, and order it: `switchover`, `drain`, `resume`, `unfreeze`.

pub mod failure;
pub mod options;
pub mod said;

mod answer;
mod ask;
mod drain;
mod explanation;
mod invoke;
mod manual;
mod order;
mod output;
mod reply;
mod summary;
mod table;

use std::path::Path;
use std::time::Duration;

use vipward_core::Config;

use drain::Drain;
use failure::Failure;
use options::Command;
use order::{FailoverFunction, Order};
use said::Said;

/// Carries a command out. Files and AWS are touched here and below, the terminal is not: `progress`
/// hears what a command waits for, in whole lines.
///
/// # Errors
/// Why it could not be done.
pub async fn run(command: Command, progress: &mut dyn FnMut(&str)) -> Result<Said, Failure> {
    match command {
        Command::Check { file } => summary::check(&file),
        Command::Render(options) => output::render(&options),
        Command::Status(options) => ask::status(&options).await,
        Command::Explain { service, query } => ask::explain(service.as_ref(), &query).await,
        Command::Manual { config } => manual::manual(&config),
        Command::Switchover { service, to, order } => {
            let to = to.as_ref();
            order::give(&order, Order::Switchover { service: &service, to }).await
        }
        Command::Drain { node, lasting, reason, owner, wait, no_wait, order } => {
            let wait = (!no_wait).then_some(Duration::from_secs(wait.0.into()));
            let (node, seconds) = (&node, lasting.0);
            let drain = Drain { node, seconds, owner: &owner, reason: &reason, wait };
            let function = FailoverFunction::of(&order, &drain.order(Duration::ZERO))?;
            drain::drain(&function, drain, progress).await
        }
        Command::Resume { node, order } => order::give(&order, Order::Resume { node: &node }).await,
        Command::Unfreeze { service, order } => {
            order::give(&order, Order::Unfreeze { service: &service }).await
        }
    }
}

fn load(file: &Path) -> Result<Config, Failure> {
    Ok(Config::load(file, |path| std::fs::read_to_string(path))?)
}
