//! What nodes ask each other about the ledger, and validators' signatures over checkpoints.

use crate::{Seeds, check_message, message_seeds};
use opensky_ledger::evm::{EvmSignature, Keccak};
use opensky_protocol::{
    ledger::{Ask, BlockNews, CheckpointWord, Reply},
    samples,
};

/// Panics unless what must hold of any bytes holds of these.
pub fn check(body: &[u8]) {
    let _ = check_message::<Ask>(body);
    let _ = check_message::<BlockNews>(body);
    let signed = Keccak::of(b"a checkpoint");
    if let Some(word) = check_message::<CheckpointWord>(body) {
        // Whoever it recovers to, it verifies for that address and for no other.
        let signature = EvmSignature::from_bytes(word.signature);
        if let Ok(address) = signature.recover(&signed) {
            assert_eq!(signature.verify(&signed, &address), Ok(()));
        }
    }
    if let Some(Reply::Checkpoint { signatures }) = check_message::<Reply>(body) {
        for (_, bytes) in signatures.iter().take(4) {
            let _ = EvmSignature::from_bytes(*bytes).recover(&signed);
        }
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    message_seeds("ask", samples::asks())
        .chain(message_seeds("reply", samples::replies()))
        .chain(message_seeds("news", samples::block_news()))
        .chain(message_seeds("word", samples::checkpoint_words()))
        .collect()
}
