//! Knocks and their answers, with the chains and invites in them.

use crate::{Seeds, check_message, message_seeds};
use opensky_protocol::{
    knock::{Knock, KnockReply},
    samples as messages,
};
use opensky_types::{membership::InvitePolicy, samples};

/// Panics unless what must hold of any bytes holds of these.
pub fn check(body: &[u8]) {
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
}

/// First inputs.
pub fn seeds() -> Seeds {
    message_seeds("knock", messages::knocks())
        .chain(message_seeds("reply", messages::knock_replies()))
        .collect()
}
