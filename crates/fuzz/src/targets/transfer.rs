//! Fetches, and plans made of what a sender announces.

use crate::{Seeds, check_message, message_seeds};
use opensky_protocol::{
    samples,
    transfer::{Fetch, FetchReply, Plan},
};
use opensky_types::Hash;

/// Panics unless what must hold of any bytes holds of these.
pub fn check(body: &[u8]) {
    check_message::<Fetch>(body);
    if let Some(FetchReply::Found { size_bytes, subtrees }) = check_message::<FetchReply>(body) {
        let single = subtrees.is_empty();
        let plan = Plan::new(Hash::of(b"another blob"), size_bytes, subtrees);
        assert!(plan.is_err() || single, "nobody finds subtrees for a given hash");
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    message_seeds("fetch", samples::fetches())
        .chain(message_seeds("reply", samples::fetch_replies()))
        .collect()
}
