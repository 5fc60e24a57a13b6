//! Certificates and evidence against those who would forge them.

use super::cluster::{keys, secret, set_of};
use crate::{
    Block, CERTIFICATE_BYTES_MAX, Certificate, CertificateError, EVIDENCE_BYTES_MAX, EpochLength,
    EvidenceError, Header, LightClient, LightError, OffenceKind, ValidatorSet,
    block::Draft,
    evidence::Evidence,
    verify_certificate, verify_evidence,
    wire::{Activity, Finalization, Scheme, digest_of, namespace},
};
use bytes::Bytes;
use commonware_consensus::{
    simplex::types::{
        ConflictingFinalize, ConflictingNotarize, Finalize, Notarize, Nullify, NullifyFinalize, Proposal,
    },
    types::{Epoch, Round, View},
};
use commonware_parallel::Sequential;
use commonware_utils::iter::NonEmpty;
use opensky_types::{Hash, Keypair};
use proptest::prelude::*;

pub(super) fn sky() -> Hash {
    Hash::of(b"a sky")
}

fn signers(keys: &[Keypair], set: &ValidatorSet) -> Vec<Scheme> {
    let signer = |key| Scheme::signer(&namespace(sky()), set.engine_keys(), secret(key)).expect("in the set");
    keys.iter().map(signer).collect()
}

fn proposal(epoch: u64, view: u64, block: crate::BlockId) -> Proposal<crate::wire::Digest> {
    Proposal::new(Round::new(Epoch::new(epoch), View::new(view)), View::new(view - 1), digest_of(block))
}

/// A certificate for `block` by as many of the set as `votes` says.
pub(super) fn certificate(keys: &[Keypair], votes: usize, epoch: u64, block: crate::BlockId) -> Certificate {
    let set = set_of(keys);
    let schemes = signers(keys, &set);
    let votes: Vec<_> = schemes[..votes]
        .iter()
        .map(|scheme| Finalize::sign(scheme, proposal(epoch, 3, block)).expect("a signer"))
        .collect();
    let votes = NonEmpty::try_new(votes.into_iter()).expect("some votes");
    Certificate::new(Finalization::from_owned_finalizes(&schemes[0], votes, &Sequential).expect("a quorum"))
}

pub(super) fn child(parent: &Header, set: &ValidatorSet, next: Option<ValidatorSet>) -> Header {
    let draft = Draft {
        sky: sky(),
        epoch: (parent.height + 1) / 4,
        height: parent.height + 1,
        parent: parent.id(),
        time_ms: parent.time_ms + 1,
        validators: set.hash(),
        next_validators: next,
        commitment: Hash::of(b""),
    };
    Block::build(draft, Bytes::from_static(b"body")).header().clone()
}

/// Votes of the third of four validators, all of one view.
pub(super) fn notarize(block: crate::BlockId) -> Notarize<Scheme, crate::wire::Digest> {
    Notarize::sign(&third(), proposal(5, 9, block)).expect("a signer")
}

pub(super) fn finalize(block: crate::BlockId) -> Finalize<Scheme, crate::wire::Digest> {
    Finalize::sign(&third(), proposal(5, 9, block)).expect("a signer")
}

pub(super) fn nullify() -> Nullify<Scheme> {
    let round = proposal(5, 9, crate::BlockId::from_bytes([1; 32])).round;
    Nullify::sign::<crate::wire::Digest>(&third(), round).expect("a signer")
}

fn third() -> Scheme {
    let keys = keys(4);
    signers(&keys, &set_of(&keys)).swap_remove(2)
}

#[test]
fn l2_only_a_quorum_of_the_right_set_sky_and_epoch_certifies() {
    let keys = keys(5);
    let set = set_of(&keys[..4]);
    let block = Block::genesis(sky(), &set, 0, Hash::of(b""), Bytes::new()).id();
    let bytes = certificate(&keys[..4], 3, 2, block).encode();
    assert!(bytes.len() <= CERTIFICATE_BYTES_MAX);
    let certified = verify_certificate(sky(), 2, &set, &bytes).expect("three of four signed");
    assert_eq!((certified.block, certified.epoch, certified.view), (block, 2, 3));
    let epoch = CertificateError::Epoch { found: 2, expected: 1 };
    assert_eq!(verify_certificate(sky(), 1, &set, &bytes), Err(epoch));
    let refused = [
        verify_certificate(Hash::of(b"another sky"), 2, &set, &bytes),
        verify_certificate(sky(), 2, &set_of(&keys[1..5]), &bytes),
        verify_certificate(sky(), 2, &set_of(&keys), &bytes),
    ];
    for refused in refused {
        assert_eq!(refused, Err(CertificateError::NoQuorum));
    }
    let too_large = vec![1; CERTIFICATE_BYTES_MAX + 1];
    assert!(matches!(verify_certificate(sky(), 2, &set, &too_large), Err(CertificateError::TooLarge { .. })));
}

#[test]
fn l2_no_changed_byte_of_a_certificate_is_accepted() {
    let keys = keys(4);
    let set = set_of(&keys);
    let block = Block::genesis(sky(), &set, 0, Hash::of(b""), Bytes::new()).id();
    let bytes = certificate(&keys, 3, 0, block).encode();
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0x10;
        assert!(verify_certificate(sky(), 0, &set, &changed).is_err(), "byte {position}");
        assert!(verify_certificate(sky(), 0, &set, &bytes[..position]).is_err(), "cut at {position}");
    }
    assert!(verify_certificate(sky(), 0, &set, &[&bytes[..], &[0]].concat()).is_err(), "a surplus byte");
}

#[test]
fn a_light_client_takes_linked_headers_and_nothing_else() {
    let keys = keys(4);
    let set = set_of(&keys);
    let next = set_of(&keys[..1]);
    let genesis = Block::genesis(sky(), &set, 0, Hash::of(b""), Bytes::new());
    let length = EpochLength::new(4).expect("four");
    let one = child(genesis.header(), &set, None);
    let two = child(&one, &set, None);
    let three = child(&two, &set, Some(next.clone()));
    let four = child(&three, &next, None);
    let client = LightClient::new(&genesis, set, length);
    let signed = |header: &Header| certificate(&keys, 3, 0, header.id());

    let mut follower = client.clone();
    follower.follow(&[one.clone(), two.clone()], &signed(&two)).expect("linked and signed");
    assert_eq!((follower.height(), follower.block(), follower.epoch()), (2, two.id(), 0));
    follower.follow(std::slice::from_ref(&three), &signed(&three)).expect("the last of its epoch");
    assert_eq!((follower.epoch(), follower.validators()), (1, &next));
    follower.jump(&four, &certificate(&keys[..1], 1, 1, four.id())).expect("signed by the new set");
    let old = follower.jump(&two, &signed(&two));
    assert_eq!(old, Err(LightError::Old { height: 2, known: 4 }));

    let mut fresh = client.clone();
    assert_eq!(fresh.follow(&[], &signed(&one)), Err(LightError::NoHeader));
    let unlinked = fresh.follow(&[one.clone(), three.clone()], &signed(&three));
    assert_eq!(unlinked, Err(LightError::Unlinked { height: 3 }));
    assert!(matches!(fresh.jump(&one, &signed(&two)), Err(LightError::OtherBlock { .. })));
    assert_eq!(
        fresh.jump(&four, &signed(&four)),
        Err(LightError::Foreign { height: 4 }),
        "a whole epoch skipped"
    );
    let no_next = Header { next_validators: None, ..three };
    assert_eq!(fresh.jump(&no_next, &signed(&no_next)), Err(LightError::Foreign { height: 3 }));
    assert_eq!(fresh, client, "a refusal changes nothing");
}

#[test]
fn l1_contradicting_votes_are_evidence_and_others_are_not() {
    let keys = keys(4);
    let set = set_of(&keys);
    let (a, b) = (crate::BlockId::from_bytes([1; 32]), crate::BlockId::from_bytes([2; 32]));
    let cases = [
        (
            Activity::ConflictingNotarize(ConflictingNotarize::new(notarize(a), notarize(b))),
            OffenceKind::TwoNotarizes,
        ),
        (
            Activity::ConflictingFinalize(ConflictingFinalize::new(finalize(a), finalize(b))),
            OffenceKind::TwoFinalizes,
        ),
        (
            Activity::NullifyFinalize(NullifyFinalize::new(nullify(), finalize(a))),
            OffenceKind::NullifyAndFinalize,
        ),
    ];
    for (activity, kind) in cases {
        let bytes = Evidence::of(activity).expect("evidence").encode();
        assert!(bytes.len() <= EVIDENCE_BYTES_MAX);
        let offence = verify_evidence(sky(), 5, &set, &bytes).expect("both votes are signed");
        assert_eq!((offence.validator, offence.view, offence.kind), (set.members()[2], 9, kind));
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert!(verify_evidence(sky(), 5, &set, &changed).is_err(), "{kind:?}, byte {position}");
        }
        let another = verify_evidence(Hash::of(b"another sky"), 5, &set, &bytes);
        assert_eq!(another, Err(EvidenceError::NotSigned));
        assert!(matches!(verify_evidence(sky(), 4, &set, &bytes), Err(EvidenceError::Epoch { .. })));
    }
    assert!(Evidence::of(Activity::Notarize(notarize(a))).is_none());
}

#[test]
fn evidence_against_no_one_is_refused() {
    let keys = keys(4);
    let set = set_of(&keys);
    let schemes = signers(&keys, &set);
    let vote =
        |block: u8| Notarize::sign(&schemes[3], proposal(0, 1, crate::BlockId::from_bytes([block; 32])));
    let votes = ConflictingNotarize::new(vote(1).expect("a signer"), vote(2).expect("a signer"));
    let bytes = Evidence::of(Activity::ConflictingNotarize(votes)).expect("evidence").encode();
    let smaller = set_of(&keys[..3]);
    assert_eq!(verify_evidence(sky(), 0, &smaller, &bytes), Err(EvidenceError::NotSigned));
}

proptest! {
    #[test]
    fn hostile_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let set = set_of(&keys(1));
        prop_assert!(verify_certificate(sky(), 0, &set, &bytes).is_err());
        prop_assert!(verify_evidence(sky(), 0, &set, &bytes).is_err());
        prop_assert!(Block::decode(&bytes, 100).is_err());
        let versioned = [&[1], &bytes[..]].concat();
        prop_assert!(verify_certificate(sky(), 0, &set, &versioned).is_err());
        prop_assert!(verify_evidence(sky(), 0, &set, &versioned).is_err());
    }
}
