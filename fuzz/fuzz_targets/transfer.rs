//! Fetches, and plans made of what a sender announces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::check_message;
use opensky_protocol::transfer::{Fetch, FetchReply, Plan};
use opensky_types::Hash;

fuzz_target!(|body: &[u8]| {
    check_message::<Fetch>(body);
    if let Some(FetchReply::Found { size_bytes, subtrees }) = check_message::<FetchReply>(body) {
        let single = subtrees.is_empty();
        let plan = Plan::new(Hash::of(b"another blob"), size_bytes, subtrees);
        assert!(plan.is_err() || single, "nobody finds subtrees for a given hash");
    }
});
