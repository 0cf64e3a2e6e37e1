//! What a peer of the mongodb probe says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vipward_probes::testing::fuzzing::mongodb(bytes));
