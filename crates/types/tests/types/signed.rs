//! Signed values: what is signed is what is read, by whom it says, as what it says.

use opensky_types::{
    Hash, Signable, Signature, Signed, codec, membership::Membership, rotation::Rotation, samples,
    signed::SignedError,
};
use proptest::prelude::{any, prop_assert, prop_assume, proptest};

fn membership() -> Membership {
    Membership { sky: Hash::of(b"sky"), node: samples::node(5), given_at: samples::NOW }
}

#[test]
fn what_was_signed_comes_back() {
    let signed = Signed::sign(&membership(), &samples::founder());
    assert_eq!(signed.verify(), Ok(membership()));
    assert_eq!(signed.signer(), samples::founder().id());
    let sent: Signed<Membership> = codec::decode(&codec::encode(&signed), 1_000).unwrap();
    assert_eq!(sent, signed);
    assert_eq!(sent.verify(), Ok(membership()));
}

#[test]
fn l6_a_signature_counts_for_its_own_kind_of_value_only() {
    let signed = Signed::sign(&membership(), &samples::founder());
    // The same bytes under the same signature, read as another kind of value.
    let other: Signed<Rotation> = codec::decode(&codec::encode(&signed), 1_000).unwrap();
    assert_eq!(other.verify(), Err(SignedError::BadSignature { signer: samples::founder().id() }));
    assert_ne!(other.content_hash(), signed.content_hash());
}

/// Signs raw bytes as if they were a `T`, as only a malicious node would.
fn forge<T: Signable>(value: &[u8]) -> Signed<T> {
    let message = [T::DOMAIN.as_slice(), &T::VERSION.to_le_bytes(), value].concat();
    let key = samples::founder();
    codec::decode(&codec::encode(&(value.to_vec(), key.id(), key.sign(&message))), usize::MAX).unwrap()
}

#[test]
fn l6_signed_bytes_are_decoded_strictly() {
    let bytes = codec::encode(&membership());
    assert_eq!(forge::<Membership>(&bytes).verify(), Ok(membership()));
    let malformed =
        |bytes: &[u8]| matches!(forge::<Membership>(bytes).verify(), Err(SignedError::Malformed(_)));
    assert!(malformed(&[bytes.as_slice(), &[0]].concat()), "trailing bytes");
    assert!(malformed(&bytes[..bytes.len() - 1]), "missing bytes");
    assert!(malformed(&vec![0; Membership::SIZE_BYTES_MAX + 1]), "too long");
    assert!(malformed(&[]));
}

#[test]
fn another_signer_may_not_take_the_credit() {
    let signed = Signed::sign(&membership(), &samples::founder());
    let mut bytes = codec::encode(&signed);
    let signer_at = bytes.len() - 96;
    bytes[signer_at..signer_at + 32].copy_from_slice(samples::node(9).public_key());
    let stolen: Signed<Membership> = codec::decode(&bytes, 1_000).unwrap();
    assert_eq!(stolen.verify(), Err(SignedError::BadSignature { signer: samples::node(9) }));
    assert_eq!(stolen.content_hash(), signed.content_hash(), "content is named whoever signs it");
}

/// The order of the group, little-endian (RFC 8032, section 5.1).
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[test]
fn l6_a_signature_has_one_form() {
    let key = samples::founder();
    let mut bytes = *key.sign(b"message").as_bytes();
    assert!(key.id().verify(b"message", &Signature::from_bytes(bytes)));
    // The same scalar with the group's order added: equal to naive arithmetic, other bytes.
    let mut carry = 0u16;
    for (byte, order) in bytes[32..].iter_mut().zip(GROUP_ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert!(!key.id().verify(b"message", &Signature::from_bytes(bytes)));
}

#[test]
fn every_domain_is_its_own() {
    use opensky_types::{agreement, membership, offer, receipt, service};
    let domains = [
        agreement::Terms::DOMAIN,
        agreement::Acceptance::DOMAIN,
        membership::Invite::DOMAIN,
        membership::Membership::DOMAIN,
        offer::Offer::DOMAIN,
        receipt::BatchHead::DOMAIN,
        receipt::Countersignature::DOMAIN,
        Rotation::DOMAIN,
        service::Declaration::DOMAIN,
        service::Placement::DOMAIN,
        service::Advert::DOMAIN,
    ];
    let distinct: std::collections::BTreeSet<_> = domains.iter().collect();
    assert_eq!(distinct.len(), domains.len());
}

#[test]
fn debug_shows_no_secret_and_no_bulk() {
    let shown = format!("{:?}", Signed::sign(&membership(), &samples::founder()));
    assert!(shown.contains("size_bytes"), "{shown}");
    assert!(!shown.contains(&hex::encode(samples::founder().seed().as_slice())));
}

proptest! {
    #[test]
    fn any_flipped_bit_breaks_the_signature(place in any::<proptest::sample::Index>(), bit in 0..8u32) {
        let signed = Signed::sign(&membership(), &samples::founder());
        let mut bytes = codec::encode(&signed);
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(changed) = codec::decode::<Signed<Membership>>(&bytes, 10_000) {
            prop_assert!(changed.verify().is_err());
        }
    }

    #[test]
    fn random_signatures_never_hold(key in any::<[u8; 32]>(), signature in any::<[[u8; 32]; 2]>()) {
        prop_assume!(signature[1][31] != 0);
        let bytes = codec::encode(&(codec::encode(&membership()), key, signature));
        let forged: Signed<Membership> = codec::decode(&bytes, 10_000).unwrap();
        prop_assert!(forged.verify().is_err());
    }
}
