//! What nodes ask each other about the ledger, and validators' signatures over checkpoints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::check_message;
use opensky_ledger::evm::{EvmSignature, Keccak};
use opensky_protocol::ledger::{Ask, BlockNews, CheckpointWord, Reply};

fuzz_target!(|body: &[u8]| {
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
});
