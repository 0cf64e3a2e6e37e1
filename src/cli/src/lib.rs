//! The operator's command: `check` and `render` a configuration, ask a cluster for its `status`,
//! have it `explain` itself, and order it: `switchover`, `drain`, `resume`, `unfreeze`.

pub mod failure;
pub mod options;
pub mod said;

mod answer;
mod ask;
mod explanation;
mod invoke;
mod manual;
mod order;
mod output;
mod summary;
mod table;

use std::path::Path;

use vipward_core::Config;

use failure::Failure;
use options::Command;
use order::Order;
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
        Command::Manual { config } => manual::manual(&config),
        Command::Switchover { service, to, order } => {
            let to = to.as_ref();
            order::give(&order, Order::Switchover { service: &service, to }).await
        }
        Command::Drain { node, lasting, reason, owner, order } => {
            let (node, seconds) = (&node, lasting.0);
            order::give(&order, Order::Drain { node, seconds, owner: &owner, reason: &reason })
                .await
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
