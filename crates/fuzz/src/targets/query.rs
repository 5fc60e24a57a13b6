//! Queries and offers.

use crate::{Seeds, check_message, message_seeds};
use opensky_protocol::{
    query::{Query, QueryReply},
    samples,
};

/// Panics unless what must hold of any bytes holds of these.
pub fn check(body: &[u8]) {
    check_message::<Query>(body);
    if let Some(QueryReply::Offers { offers }) = check_message::<QueryReply>(body) {
        for offer in offers {
            let _ = offer.decode_unverified();
        }
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    message_seeds("query", samples::queries())
        .chain(message_seeds("reply", samples::query_replies()))
        .collect()
}
