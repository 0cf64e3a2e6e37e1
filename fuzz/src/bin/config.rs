//! A file of whatever kind: read whole, or refused with a line and a cure for each fault.
#![no_main]

use vipward_core::Config;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Config::parse("vipward.toml", text) {
        Ok(config) => assert_eq!(config.digest().len(), 16),
        Err(faults) => assert!(faults.iter().next().is_some_and(|fault| !fault.cure.is_empty())),
    }
});
