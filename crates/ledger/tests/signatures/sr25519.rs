//! Sr25519, for which Wycheproof has no vectors: spoilt forms of a signature that an independent wallet
//! made. Published vectors of it sign other texts than the ledger's; they are beside the check itself
//! (`src/approval.rs`).

use crate::common::{Refused, Said, check};
use opensky_types::{Signature, codec};

/// The number of this kind of approval.
const KIND: u8 = 3;
const TEXT: &str = "OpenSky transaction\nTransfer";
/// Made once by `@polkadot/util-crypto` 14.0.3 over [`TEXT`] in a wallet's frame.
const KEY: &str = "6a10be029d1ed283446587145a4f885225489b490424a0328dcce2a48ae6fe61";
const SIGNATURE: &str = "1647146fd6d33bf1ecdf8616b2c1f5e768ba9eb07d7cdf4c259191f6253e5304\
                         1ebfe69669d39f605062cd4da0a05f4a91daea641511c7bb3144e95ce862848b";
/// The order of the group, and the prime of its field.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
const PRIME: &str = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
/// The group's base point.
const BASE: &str = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
/// The highest bit of s, which tells these signatures from those of ed25519.
const MARKER: u8 = 128;

fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    hex::decode(digits).expect("hex digits").try_into().expect("the right length")
}

fn check_text(key: &[u8], signature: &[u8]) -> Result<(), Refused> {
    check(KIND, key, signature, &Said { text: TEXT.to_owned(), ..Said::default() })
}

/// The sum of two little-endian numbers, which fits.
fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let add = |(one, other): (&u8, &u8)| {
        let sum = u16::from(*one) + u16::from(*other) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    };
    one.iter().zip(other).map(add).collect()
}

#[track_caller]
fn assert_wrong(key: &[u8], signature: &[u8]) {
    let found = check_text(key, signature);
    assert!(matches!(found, Err(Refused::Approval(_))), "{found:?}");
}

#[test]
fn l6_an_sr25519_signature_without_its_marker_is_refused() {
    let (key, signature) = (bytes::<32>(KEY), bytes::<64>(SIGNATURE));
    assert_eq!(check_text(&key, &signature), Ok(()));
    let mut unmarked = signature;
    unmarked[63] ^= MARKER;
    assert_wrong(&key, &unmarked);
    // Bytes that an ed25519 key signed have no marker either.
    let node = opensky_types::Keypair::from_seed([9; 32]);
    assert_wrong(node.id().public_key(), node.sign(TEXT.as_bytes()).as_bytes());
}

#[test]
fn l6_an_sr25519_signature_has_no_second_scalar() {
    let (key, signature) = (bytes::<32>(KEY), bytes::<64>(SIGNATURE));
    let (r, s) = signature.split_at(32);
    let mut larger = s.to_vec();
    larger[31] ^= MARKER;
    // The same number modulo the order, seven more times until the marker's bit is reached.
    for _ in 0..7 {
        larger = sum(&larger, &bytes::<32>(ORDER));
        assert!(larger[31] < MARKER, "the sum fits beside the marker");
        let mut marked = larger.clone();
        marked[31] |= MARKER;
        assert_wrong(&key, &[r, &marked].concat());
    }
    for s in [ORDER, PRIME] {
        let mut s = bytes::<32>(s);
        s[31] |= MARKER;
        assert_wrong(&key, &[r, &s].concat());
    }
    assert_wrong(&key, &[r, &[0xff; 32]].concat());
}

#[test]
fn l6_an_sr25519_key_or_point_has_one_form() {
    let (key, signature) = (bytes::<32>(KEY), bytes::<64>(SIGNATURE));
    let mut negative = key;
    negative[0] ^= 1;
    let mut high = key;
    high[31] |= 128;
    // Zero and one beyond the prime, a negative field element, the highest bit, and no point at all.
    let one_more = sum(&bytes::<32>(PRIME), &bytes::<32>(&format!("01{}", "0".repeat(62))));
    let bad: [&[u8]; 5] = [&bytes::<32>(PRIME), &one_more, &negative, &high, &[0xff; 32]];
    for point in bad {
        assert_wrong(point, &signature);
        assert_wrong(&key, &[point, &signature[32..]].concat());
    }
    for len in [0, 1, 32, 63, 65, 128] {
        let cut: Vec<u8> = signature.iter().copied().cycle().take(len).collect();
        let found = check_text(&key, &cut);
        assert!(matches!(found, Err(Refused::Malformed(_))), "{len} bytes: {found:?}");
    }
    let read: Result<Signature, _> = codec::decode(&signature, 64);
    assert_eq!(read.as_ref().map(Signature::as_bytes), Ok(&signature));
}

/// Schnorrkel reads the neutral element as a key. Its secret, zero, is known to all, so whoever puts it
/// among the keys of an account gives the account away. As with ed25519 keys of small order, it signs
/// for itself only.
#[test]
fn the_neutral_key_of_sr25519_is_everybodys_and_opens_no_other() {
    let key = bytes::<32>(KEY);
    let zero = [[0; 32], [0; 32]].concat();
    let one = [&bytes::<32>(BASE)[..], &[1], &[0; 31]].concat();
    for mut signature in [zero, one] {
        assert_wrong(&[0; 32], &signature);
        signature[63] |= MARKER;
        assert_eq!(check_text(&[0; 32], &signature), Ok(()));
        assert_wrong(&key, &signature);
    }
}
