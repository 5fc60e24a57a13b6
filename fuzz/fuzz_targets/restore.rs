//! A snapshot on its way in: manifests and chunks of whoever sends them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::snapshots::Parts;
use std::sync::LazyLock;

static PARTS: LazyLock<Parts> = LazyLock::new(Parts::new);

fuzz_target!(|bytes: &[u8]| PARTS.check(bytes));
