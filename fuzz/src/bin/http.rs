//! What a peer of the http probe says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vipward_probes::testing::fuzzing::http(bytes));
