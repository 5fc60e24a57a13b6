//! Transactions with their signatures, as a stranger sends them.

use crate::{
    Seeds,
    people::{KEYS, account, approve, public},
    small,
};
use opensky_ledger::{
    action::Action,
    apply::RULES,
    approval::Approval,
    memo::Memo,
    transaction::{Checked, SignedTransaction, Transaction},
};
use opensky_types::{Micros, Signature, codec};
use std::sync::LazyLock;

static SIGNED: LazyLock<Vec<SignedTransaction>> = LazyLock::new(signed);

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    let Ok(read) = SignedTransaction::decode(bytes) else { return };
    assert!(read.encode() == bytes, "a second encoding was accepted");
    assert!(read.size_bytes() == bytes.len(), "the size is counted without encoding");
    let alone = read.clone().check();
    let together = SignedTransaction::check_all(vec![SIGNED[0].clone(), read.clone()]);
    assert!(alone.is_ok() == together.is_ok(), "alone and with others");
    let Ok(checked) = alone else { return };
    assert!(together.is_ok_and(|both| both[1] == checked));
    assert!(read.clone().unchecked().as_ref() == Ok(&checked));
    // A stranger has none of these keys, and a signature has no second form.
    assert!(SIGNED.contains(&read) || !has_known_signer(&checked), "a forged signature was accepted");
}

/// By an ed25519 key, by wallets over typed data and over a text, and by two of them.
fn signed() -> Vec<SignedTransaction> {
    let genesis = small::genesis();
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
fn has_known_signer(checked: &Checked) -> bool {
    (0..KEYS).any(|number| checked.signers.contains(&public(number)))
}

/// First inputs: the signed ones, and one with an sr25519 signature that does not hold.
pub fn seeds() -> Seeds {
    let mut seeds: Seeds = (0..)
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
