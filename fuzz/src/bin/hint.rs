//! The detail of an event that claims to be a hint: what is read is written alike.
#![no_main]

use vipward_core::Hint;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(hint) = serde_json::from_slice::<Hint>(bytes) {
        let written = serde_json::to_vec(&hint).expect("a hint has string keys only");
        assert_eq!(serde_json::from_slice::<Hint>(&written).expect("our own words"), hint);
    }
});
