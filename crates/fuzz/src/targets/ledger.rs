//! What a stranger sends to the ledger: transactions and blocks; and what a snapshot brings: entries.

use crate::{Seeds, small};
use opensky_ledger::{block::Block, entry::Entry, key::Key, ledger::Ledger, transaction::SignedTransaction};
use opensky_types::codec;
use std::sync::LazyLock;

static LEDGER: LazyLock<Ledger> =
    LazyLock::new(|| Ledger::new(&small::genesis()).expect("the genesis is sound"));

/// As if the signatures were right: the rules alone must hold.
fn check_rules(signed: SignedTransaction) {
    let Ok(checked) = signed.unchecked() else { return };
    let mut ledger = LEDGER.clone();
    let (head, time) = (ledger.head().id(), ledger.head().time.plus_ms(1_000));
    let made = ledger.propose(&head, time, vec![checked], 1 << 20).expect("a block can be made");
    ledger.finalize(&made.block.id()).expect("it is known");
    ledger.state().check().expect("money is conserved");
}

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    if let Ok(signed) = SignedTransaction::decode(bytes) {
        assert!(signed.encode() == bytes, "a second encoding was accepted");
        check_rules(signed);
    }
    if let Ok(block) = Block::decode(bytes) {
        assert!(block.encode() == bytes, "a second encoding was accepted");
        // A stranger has no key of an account: only the seed's transaction, or none, can be in a block.
        let is_known = block.transactions.iter().all(|one| *one == small::transaction());
        assert!(LEDGER.clone().verify(block).is_err() || is_known);
    }
    if let Ok(key) = codec::decode::<Key>(bytes, 256) {
        assert!(codec::encode(&key) == bytes, "a second encoding was accepted");
    }
    if let Ok(entry) = codec::decode::<Entry>(bytes, 64 * 1024) {
        assert!(codec::encode(&entry) == bytes, "a second encoding was accepted");
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    let mut ledger = Ledger::new(&small::genesis()).expect("the genesis is sound");
    let mut seeds = vec![("transaction".to_owned(), small::transaction().encode())];
    for (number, (key, entry)) in ledger.state().entries().enumerate() {
        seeds.push((format!("key_{number}"), codec::encode(&key)));
        seeds.push((format!("entry_{number}"), codec::encode(entry)));
    }
    let checked = small::transaction().check().expect("the signature is right");
    let (head, time) = (ledger.head().id(), ledger.head().time.plus_ms(1_000));
    let made = ledger.propose(&head, time, vec![checked], 1 << 20).expect("a block can be made");
    seeds.push(("block".to_owned(), made.block.encode()));
    seeds
}
