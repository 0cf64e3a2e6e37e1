//! A hint that no agent sent.

use serde_json::{Value, json};
use vipward_core::telemetry::{HINT_DETAIL_TYPE, hint_source};
use vipward_core::{Config, Faults, Hint, HintEntry, NodeName, Verdict};

use crate::layout::Layout;

/// For how long the services are said to be ill.
const HELD_MS: u64 = 60_000;

/// The input of `PutEvents` that says in a node's name that all its services are ill.
///
/// # Errors
/// The layout's configuration is wrong.
pub fn unhealthy_hint(layout: &Layout, node: &NodeName) -> Result<Value, Faults> {
    let config = Config::parse("the lab's vipward.toml", &layout.vipward_toml())?;
    let observations = layout.services.iter().map(|service| HintEntry {
        subject: node.clone(),
        service: service.name.clone(),
        verdict: Verdict::Unhealthy,
        held_ms: HELD_MS,
        cause: Some("forged".to_owned()),
        lag_ms: None,
        primary: None,
        leaving: false,
        unready_ms: None,
        arrived: None,
        arrived_ms: None,
    });
    let hint = Hint {
        version: vipward_core::hint::HINT_VERSION,
        cluster: Layout::cluster(),
        start_id: "forged".to_owned(),
        sequence: 1,
        config_digest: config.digest(),
        metrics_failing_ms: None,
        observations: observations.collect(),
    };
    let detail = serde_json::to_string(&hint).expect("a hint is plain data");
    Ok(json!({"Entries": [{
        "Source": hint_source(&Layout::cluster(), node),
        "DetailType": HINT_DETAIL_TYPE,
        "Detail": detail,
    }]}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric_kind::FabricKind;
    use crate::layout::ClusterSpec;

    #[test]
    fn it_speaks_in_the_name_of_the_node_that_it_accuses() {
        let layout = Layout::new(ClusterSpec::default(), FabricKind::Namespaces);
        let node = layout.hosts[0].name.clone();
        let input = unhealthy_hint(&layout, &node).expect("is right");
        let entry = &input["Entries"][0];
        assert_eq!(entry["Source"], "vipward.agent.lab.node-1");
        let detail = entry["Detail"].as_str().expect("is text");
        let hint: Hint = serde_json::from_str(detail).expect("is a hint");
        assert_eq!(hint.observations[0].subject, node);
        assert_eq!(hint.observations[0].verdict, Verdict::Unhealthy);
    }
}
