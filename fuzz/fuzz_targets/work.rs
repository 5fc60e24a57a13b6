//! Both directions of a work stream, and what a consumer does with results.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::check_message;
use opensky_protocol::work::{ToConsumer, ToProvider};

fuzz_target!(|body: &[u8]| {
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
});
