use super::*;
use crate::passphrase::Passphrase;
use proptest::prelude::*;

const SEED: [u8; 32] = [0x5A; 32];
/// A key file of format 1: seed 5a…, passphrase "correct horse", salt 01…, nonce 02….
const GOLDEN: &str = include_str!("golden.txt");

fn passphrase(text: &str) -> Passphrase {
    Passphrase::from_prompt(text.into()).unwrap()
}

fn key() -> Keypair {
    Keypair::from_seed(SEED)
}

fn golden_bytes() -> Vec<u8> {
    hex::decode(GOLDEN.split_whitespace().collect::<String>()).unwrap()
}

#[test]
fn a_key_file_is_written_as_ever() {
    let passphrase = passphrase("correct horse");
    let sealed = Sealed::with(KEY_FILE, &key(), Protection::Passphrase(&passphrase), [1; 16], [2; 24]);
    assert_eq!(hex::encode(sealed.to_bytes()), hex::encode(golden_bytes()));
    assert_eq!(sealed.to_bytes().len(), SEALED_BYTES);
}

#[test]
fn a_key_file_of_old_opens() {
    let sealed = Sealed::from_bytes(KEY_FILE, &golden_bytes()).unwrap();
    assert_eq!(sealed.id(), key().id());
    assert_eq!(sealed.open(Some(b"correct horse")).unwrap().seed().as_slice(), SEED);
    assert_eq!(sealed.open(Some(b"correct horsf")).err(), Some(SealedError::WrongPassphrase));
    assert_eq!(sealed.open(None).err(), Some(SealedError::NeedsPassphrase));
}

#[test]
fn k1_the_seed_is_not_in_the_encrypted_bytes() {
    let bytes = golden_bytes();
    assert!(!bytes.windows(4).any(|window| window == &SEED[..4]));
    let plain = Sealed::new(KEY_FILE, &key(), Protection::None);
    assert!(plain.to_bytes().windows(32).any(|window| window == SEED), "what the search would find");
    assert_eq!(plain.open(None).unwrap().id(), key().id());
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let golden = golden_bytes();
    for bit in 0..golden.len() * 8 {
        let mut bad = golden.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(Sealed::from_bytes(KEY_FILE, &bad).is_err(), "bit {bit}");
    }
    for length in 0..golden.len() {
        assert!(Sealed::from_bytes(KEY_FILE, &golden[..length]).is_err(), "cut to {length} bytes");
    }
}

/// Someone who changes the header also mends the check; then the cipher refuses.
#[test]
fn a_forged_header_does_not_open() {
    let honest = Sealed::from_bytes(KEY_FILE, &golden_bytes()).unwrap();
    let forged = |change: fn(&mut Header)| {
        let mut sealed = honest.clone();
        change(&mut sealed.header);
        sealed.check = check(&sealed.header, &sealed.body);
        Sealed::from_bytes(KEY_FILE, &sealed.to_bytes()).unwrap().open(Some(b"correct horse")).err()
    };
    let other_node = |header: &mut Header| header.node = NodeId::from_public_key([9; 32]);
    assert_eq!(forged(other_node), Some(SealedError::WrongPassphrase));
    assert_eq!(forged(|header| header.memory_kib = 8 * 1024), Some(SealedError::WrongPassphrase));
    let out_of_bounds = Some(SealedError::Damaged("its key derivation is out of bounds"));
    assert_eq!(forged(|header| header.memory_kib = u32::MAX), out_of_bounds);
    assert_eq!(forged(|header| header.passes = u32::MAX), out_of_bounds);
    assert_eq!(forged(|header| header.lanes = 0), out_of_bounds);
    assert_eq!(forged(|header| header.protection = 7), out_of_bounds);
    assert!(forged(|header| header.protection = PLAIN).is_some(), "the cipher cannot be talked away");
}

#[test]
fn a_newer_format_and_another_kind_are_told_apart() {
    let mut newer = golden_bytes();
    newer[16] = 2;
    assert_eq!(Sealed::from_bytes(KEY_FILE, &newer).err(), Some(SealedError::Newer(2)));
    let other_kind = Sealed::from_bytes(BACKUP, &golden_bytes()).err();
    assert_eq!(other_kind, Some(SealedError::Damaged("it does not begin as such a file")));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Sealed::from_bytes(KEY_FILE, &bytes).is_err());
        let with_magic = [&KEY_FILE[..], &[VERSION], &bytes].concat();
        prop_assert!(Sealed::from_bytes(KEY_FILE, &with_magic).is_err());
    }
}
