//! Sealed blocks as nodes send them, and proofs for whoever trusts nothing but the genesis.

use crate::{Seeds, small, targets::consensus};
use opensky_chain::{read_block, verify_proof};
use opensky_consensus::{Block, ValidatorSet};
use opensky_ledger::ledger::Ledger;
use opensky_types::{
    codec,
    membership::{Genesis, InvitePolicy},
    samples,
};
use std::sync::LazyLock;

static GENESIS: LazyLock<Genesis> = LazyLock::new(|| samples::genesis(InvitePolicy::Members));

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    if let Ok((block, _)) = read_block(bytes) {
        assert!(block.encode().len() <= bytes.len(), "a block is part of what it came in");
    }
    assert!(verify_proof(&GENESIS, bytes).is_err(), "no validator of that sky ever signed anything");
}

/// First inputs: a block with a certificate and without, and a proof of the right form.
pub fn seeds() -> Seeds {
    let genesis = small::genesis();
    let mut ledger = Ledger::new(&genesis).expect("the genesis is sound");
    let (head, time) = (ledger.head().clone(), ledger.head().time.plus_ms(1_000));
    let made = ledger.propose(&head.id(), time, Vec::new(), 1 << 20).expect("a block can be made").block;
    let validators = ValidatorSet::new(genesis.validators.iter().copied()).expect("there is one");
    let body = made.encode().into();
    let block = Block::genesis(genesis.sky, &validators, time.as_millis(), made.id(), body).encode();
    let golden = consensus::seeds();
    let part = |name: &str| golden.iter().find(|(found, _)| found == name).expect("it is there").1.clone();
    let certified = (part("header.plain"), part("certificate.one_of_one"));
    let key = ledger.state().entries().next().expect("a state has entries").0;
    let state = ledger.state().prove(&key);
    let proof = (1_u16, vec![certified.clone()], certified.clone(), head, state);
    crate::seeds([
        ("block", codec::encode(&(block.clone(), None::<Vec<u8>>))),
        ("certified_block", codec::encode(&(block, Some(certified.1)))),
        ("proof", codec::encode(&proof)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    use opensky_chain::ProofError;

    #[test]
    fn first_inputs_have_the_right_form() {
        for (name, bytes) in seeds() {
            match name.as_str() {
                "proof" => {
                    let error = verify_proof(&GENESIS, &bytes).expect_err("it is of another sky");
                    assert!(matches!(error, ProofError::Light(_)), "{error}");
                }
                _ => assert!(read_block(&bytes).is_ok(), "{name}"),
            }
        }
    }
}
