//! Transactions with their signatures, as a stranger sends them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::transactions::{has_known_signer, signed};
use opensky_ledger::transaction::SignedTransaction;
use std::sync::LazyLock;

static SIGNED: LazyLock<Vec<SignedTransaction>> = LazyLock::new(signed);

fuzz_target!(|bytes: &[u8]| {
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
});
