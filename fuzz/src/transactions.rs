//! Transactions with signatures of each kind: first inputs of the target `transaction`.

use crate::{
    ledger::ledger_genesis,
    people::{KEYS, account, approve, public},
};
use opensky_ledger::{
    action::Action,
    apply::RULES,
    approval::Approval,
    memo::Memo,
    transaction::{Checked, SignedTransaction, Transaction},
};
use opensky_types::{Micros, Signature, codec};

/// By an ed25519 key, by wallets over typed data and over a text, and by two of them.
pub fn signed() -> Vec<SignedTransaction> {
    let genesis = ledger_genesis();
    let signers: [&[u8]; 4] = [&[1], &[28], &[29], &[1, 28]];
    let sign = |signers: &&[u8]| {
        let memo = Memo::new("fuzz").expect("a memo");
        let transaction = Transaction {
            sky: genesis.sky,
            rules: RULES,
            account: account(signers[0]),
            nonce: 0,
            valid_until: genesis.time.plus_ms(60_000),
            action: Action::Transfer { to: account(2), amount: Micros::new(5), memo },
        };
        transaction.signed(signers.iter().map(|signer| approve(*signer, &transaction)).collect())
    };
    signers.iter().map(sign).collect()
}

/// Whether one of [`crate::people`] signed.
pub fn has_known_signer(checked: &Checked) -> bool {
    (0..KEYS).any(|number| checked.signers.contains(&public(number)))
}

/// First inputs: those, and one with an sr25519 signature that does not hold.
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<(String, Vec<u8>)> = (0..)
        .zip(signed())
        .map(|(number, signed): (u8, _)| (format!("signed_{number}"), signed.encode()))
        .collect();
    // The neutral key, for which everybody signs: R is neutral too, s is zero with the marker.
    let mut signature = [0; 64];
    signature[63] = 128;
    let approval = Approval::Sr25519 { key: [0; 32], signature: Signature::from_bytes(signature) };
    let bytes = signed()[0].clone().unchecked().expect("it is read").transaction.encode();
    seeds.push(("neutral".to_owned(), codec::encode(&(bytes, vec![approval]))));
    seeds
}
