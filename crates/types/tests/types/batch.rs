//! A batch accepts what single checks accept, and nothing else.

use opensky_types::{
    Keypair, Signature,
    account::{AccountId, PublicKey},
    batch::Batch,
};

fn signed(count: u8) -> Vec<(Keypair, Vec<u8>, Signature)> {
    let one = |number: u8| {
        // Every third message is by the same key: the batch sums those of one key.
        let key = Keypair::from_seed([number % 3; 32]);
        let message = vec![number; usize::from(number)];
        let signature = key.sign(&message);
        (key, message, signature)
    };
    (0..count).map(one).collect()
}

fn verdict(signed: &[(Keypair, Vec<u8>, Signature)]) -> bool {
    let mut batch = Batch::new();
    signed.iter().for_each(|(key, message, signature)| batch.add(&key.id(), message, signature));
    assert_eq!(batch.len(), signed.len());
    batch.verify()
}

#[test]
fn good_signatures_pass_together_and_one_bad_one_fails_them() {
    assert!(Batch::new().verify());
    assert!(verdict(&signed(20)));
    for (place, byte) in [(0, 0), (7, 31), (19, 32), (12, 63)] {
        let mut forged = signed(20);
        let mut bytes = *forged[place].2.as_bytes();
        bytes[byte] ^= 1;
        forged[place].2 = Signature::from_bytes(bytes);
        assert!(!forged[place].0.id().verify(&forged[place].1, &forged[place].2));
        assert!(!verdict(&forged));
    }
}

#[test]
fn errors_that_cancel_out_are_not_accepted() {
    let mut swapped = signed(20);
    let (first, second) = (swapped[3].2, swapped[6].2);
    (swapped[3].2, swapped[6].2) = (second, first);
    assert!(!verdict(&swapped));
}

#[test]
fn a_key_and_an_account_read_back_from_their_text() {
    for key in [PublicKey::Ed25519([1; 32]), PublicKey::Secp256k1([2; 20]), PublicKey::Sr25519([3; 32])] {
        assert_eq!(key.to_string().parse(), Ok(key));
        let account = AccountId::of_key(&key);
        let text = account.to_string();
        assert_eq!(text.parse(), Ok(account));
        let mistyped = text.replace(&text[10..11], if &text[10..11] == "2" { "3" } else { "2" });
        mistyped.parse::<AccountId>().expect_err("the checksum finds a wrong letter");
    }
    assert_ne!(
        AccountId::of_key(&PublicKey::Ed25519([1; 32])),
        AccountId::of_key(&PublicKey::Sr25519([1; 32]))
    );
}
