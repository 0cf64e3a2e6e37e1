//! What the bus of the systemd probe says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vipward_probes::testing::fuzzing::systemd(bytes));
