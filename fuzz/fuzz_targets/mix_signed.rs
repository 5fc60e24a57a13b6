//! The same as `mix` with signatures made and checked: slower, so with fewer blocks.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| opensky_fuzz::mix::run(bytes, true));
