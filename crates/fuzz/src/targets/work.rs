//! Both directions of a work stream, and what a consumer does with results.

use crate::{Seeds, check_message, message_seeds};
use opensky_protocol::{
    samples,
    work::{ToConsumer, ToProvider},
};

/// Panics unless what must hold of any bytes holds of these.
pub fn check(body: &[u8]) {
    match check_message::<ToProvider>(body) {
        Some(ToProvider::Propose { terms }) => {
            let _ = (terms.agreement_id(), terms.decode_unverified());
        }
        Some(ToProvider::Assign { tasks, .. }) => {
            for task in tasks {
                task.input.hash();
            }
        }
        _ => {}
    }
    if let Some(ToConsumer::Results { reports, head, .. }) = check_message::<ToConsumer>(body) {
        let _ = head.decode_unverified();
        for report in reports {
            let _ = (report.outcome.hash(), report.outcome.validate(), report.outcome.blobs());
        }
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    message_seeds("to_provider", samples::to_provider())
        .chain(message_seeds("to_consumer", samples::to_consumer()))
        .collect()
}
