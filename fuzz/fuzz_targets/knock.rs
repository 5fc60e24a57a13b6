//! Knocks and their answers, with the chains and invites in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::check_message;
use opensky_protocol::knock::{Knock, KnockReply};
use opensky_types::{membership::InvitePolicy, samples};

fuzz_target!(|body: &[u8]| {
    match check_message::<Knock>(body) {
        Some(Knock::Member { chain, .. }) => {
            let genesis = samples::genesis(InvitePolicy::Members);
            let _ = chain.verify(&genesis, samples::node(9)).expect_err("nobody vouched for node 9");
        }
        Some(Knock::Invited { invite }) => {
            let _ = invite.decode_unverified();
        }
        Some(Knock::Local) | None => {}
    }
    if let Some(KnockReply::Joined { genesis, chain, .. }) = check_message::<KnockReply>(body) {
        let _ = chain.verify(&genesis, samples::node(9));
    }
});
