//! Any mix of transactions: money is conserved, a second ledger agrees, and no block is the last one.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| opensky_fuzz::mix::run(bytes, false));
