//! Queries and offers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::check_message;
use opensky_protocol::query::{Query, QueryReply};

fuzz_target!(|body: &[u8]| {
    check_message::<Query>(body);
    if let Some(QueryReply::Offers { offers }) = check_message::<QueryReply>(body) {
        for offer in offers {
            let _ = offer.decode_unverified();
        }
    }
});
