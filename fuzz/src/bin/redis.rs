//! What a peer of the redis probe says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vipward_probes::testing::fuzzing::redis(bytes));
