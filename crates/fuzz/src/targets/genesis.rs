//! What a sky begins with, as a founder or whoever invites sends it.

use crate::{Seeds, small};
use opensky_ledger::{block::BlockError, genesis::Genesis, ledger::Ledger, params::Params, purse::Purse};
use opensky_types::{Micros, codec};

/// Longest genesis that is read.
const GENESIS_BYTES_MAX: usize = 64 * 1024;

/// Bytes are refused, or they are the one encoding of a genesis; and it is refused, or a sky begins that
/// makes blocks.
pub fn check(bytes: &[u8]) {
    let Ok(genesis) = codec::decode::<Genesis>(bytes, GENESIS_BYTES_MAX) else { return };
    assert!(codec::encode(&genesis) == bytes, "a second encoding was accepted");
    let Ok(mut ledger) = Ledger::new(&genesis) else { return };
    ledger.state().check().expect("a genesis that is accepted holds together");
    for wait_ms in [1, 1_000, 86_400_000] {
        let (head, time) = (ledger.head().id(), ledger.head().time.plus_ms(wait_ms));
        let block = match ledger.propose(&head, time, Vec::new(), 1 << 20) {
            Ok(proposal) => proposal.block,
            Err(BlockError::Time { .. }) => return,
            Err(error) => panic!("no block can be made: {error:?}"),
        };
        ledger.finalize(&block.id()).expect("it is known");
        ledger.state().check().expect("money is conserved");
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    let paid = small::genesis();
    let free = Genesis { params: Params::free(), balances: Vec::new(), ..paid.clone() };
    let purse = Purse { free: Micros::new(7), granted: Micros::new(8) };
    let named = Params { authority: Some(paid.balances[0].0), ..Params::default() };
    let private = Genesis { params: named, treasury: purse, ..paid.clone() };
    crate::seeds(
        [("paid", paid), ("free", free), ("private", private)]
            .map(|(name, genesis)| (name, codec::encode(&genesis))),
    )
}
