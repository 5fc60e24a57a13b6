//! What a sky begins with, as a founder or whoever invites sends it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::genesis::check;

fuzz_target!(|bytes: &[u8]| check(bytes));
