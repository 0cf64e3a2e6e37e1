//! A tag of an interface, which anybody may have written: what is read is written alike.
#![no_main]

use vipward_core::ledger::Ledger;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(ledger) = text.parse::<Ledger>() {
        assert_eq!(ledger.to_string().parse::<Ledger>().expect("our own words"), ledger);
    }
});
