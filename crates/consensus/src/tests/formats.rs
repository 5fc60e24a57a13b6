//! Blocks, certificates and evidence as bytes: they stay as they are, and spoilt ones are refused, or are the
//! one encoding of what they say.

use super::{
    cluster::{keys, set_of},
    proofs::{certificate, child, finalize, notarize, nullify, sky},
};
use crate::{Block, Certificate, Header, block::BlockId, evidence::Evidence, wire::Activity};
use bytes::Bytes;
use commonware_codec::{Decode, Encode};
use commonware_consensus::simplex::types::{ConflictingFinalize, ConflictingNotarize, NullifyFinalize};
use opensky_types::Hash;
use std::{fs, path::Path};

const BODY_BYTES_MAX: usize = 64;
/// Spoilt messages of each sample.
const SPOILT: u64 = 4_000;

/// One of each kind.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let keys = keys(4);
    let set = set_of(&keys);
    let genesis = Block::genesis(sky(), &set, 0, Hash::of(b""), Bytes::from_static(b"body"));
    let one = child(genesis.header(), &set, None);
    let three = child(&child(&one, &set, None), &set, Some(set_of(&keys[..2])));
    let (a, b) = (BlockId::from_bytes([1; 32]), BlockId::from_bytes([2; 32]));
    let evidence = [
        Activity::ConflictingNotarize(ConflictingNotarize::new(notarize(a), notarize(b))),
        Activity::ConflictingFinalize(ConflictingFinalize::new(finalize(a), finalize(b))),
        Activity::NullifyFinalize(NullifyFinalize::new(nullify(), finalize(a))),
    ];
    let [notarizes, finalizes, skips] =
        evidence.map(|activity| Evidence::of(activity).expect("evidence").encode());
    vec![
        ("block.genesis", genesis.encode()),
        ("header.plain", one.encode()),
        ("header.border", three.encode()),
        ("certificate.three_of_four", certificate(&keys, 3, 0, one.id()).encode()),
        ("certificate.one_of_one", certificate(&keys[..1], 1, 7, one.id()).encode()),
        ("evidence.two_notarizes", notarizes),
        ("evidence.two_finalizes", finalizes),
        ("evidence.nullify_and_finalize", skips),
    ]
}

#[test]
fn formats_stay_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats.txt");
    let found: String =
        samples().iter().map(|(name, bytes)| format!("{name} {}\n", hex::encode(bytes))).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).expect("the golden folder is writable");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (expected, found) in golden.lines().zip(found.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(golden.lines().count(), found.lines().count(), "a line per sample");
}

/// Every decoder reads these bytes or refuses them; what it accepts it would itself write so.
fn assert_canonical(bytes: &[u8]) {
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(header.encode(), bytes, "two encodings of a header");
    }
    let block = Block::decode(bytes, BODY_BYTES_MAX);
    if let Ok(block) = &block {
        assert_eq!(block.encode(), bytes, "two encodings of a block");
    }
    let by_engine = Block::decode_cfg(Bytes::copy_from_slice(bytes), &BODY_BYTES_MAX);
    assert_eq!(by_engine.is_ok(), block.is_ok(), "the engine reads the same blocks");
    if let Ok(block) = by_engine {
        assert_eq!(Encode::encode(&block).as_ref(), bytes, "two encodings of a block in the engine");
    }
    if let Ok(certificate) = Certificate::decode(bytes) {
        assert_eq!(certificate.encode(), bytes, "two encodings of a certificate");
    }
    if let Ok(evidence) = Evidence::decode(bytes) {
        assert_eq!(evidence.encode(), bytes, "two encodings of evidence");
    }
}

/// Numbers that are the same in every run (SplitMix64; Steele, Lea, Flood, 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below.max(1) as u64) as usize
    }

    /// Spoils a message in one of the ways that hurt decoders.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        let place = self.next(bytes.len());
        match self.next(7) {
            _ if bytes.is_empty() => bytes.push(1),
            0 | 1 => bytes[place] ^= 1 << self.next(8),
            2 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][self.next(5)],
            3 => bytes.truncate(place),
            4 => {
                let count = self.next(9);
                let more: Vec<u8> = (0..count).map(|_| self.next(256) as u8).collect();
                bytes.splice(place..place, more);
            }
            5 => {
                // A length that lies.
                let length = (self.next(1 << 33) as u32).to_le_bytes();
                let end = bytes.len().min(place + 4);
                bytes[place..end].copy_from_slice(&length[..end - place]);
            }
            _ => drop(bytes.remove(place)),
        }
    }
}

#[test]
fn p3_spoilt_blocks_certificates_and_evidence_are_read_or_refused() {
    let mut numbers = Numbers(0x0be5_0c47);
    for (_, sample) in samples() {
        assert_canonical(&sample);
        for _ in 0..SPOILT {
            let mut bytes = sample.clone();
            for _ in 0..=numbers.next(3) {
                numbers.spoil(&mut bytes);
            }
            assert_canonical(&bytes);
        }
    }
}
