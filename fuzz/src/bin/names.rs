//! Names of alarms and sources of events: what is taken for ours is what we would write.
#![no_main]

use vipward_core::telemetry::{AlarmName, hint_source, parse_hint_source};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<AlarmName>() {
        assert_eq!(name.to_string(), text);
    }
    if let Some((cluster, node)) = parse_hint_source(text) {
        assert_eq!(hint_source(&cluster, &node), text);
    }
});
