//! Blocks, certificates and evidence as validators and followers read them.

use crate::Seeds;
use opensky_consensus::{
    Block, Certificate, Evidence, Header, ValidatorSet, verify_certificate, verify_evidence,
};
use opensky_types::{Hash, Keypair};
use std::sync::LazyLock;

/// What the engine's golden test holds: one of each, by name.
const FORMATS: &str = include_str!("../../../consensus/tests/golden/formats.txt");
const BODY_BYTES_MAX: usize = 64;

static SET: LazyLock<ValidatorSet> = LazyLock::new(|| {
    let keys = (1..=4_u8).map(|seed| Keypair::from_seed([seed; 32]).id());
    ValidatorSet::new(keys).expect("four keys")
});

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(header.encode(), bytes, "a second encoding of a header");
    }
    if let Ok(block) = Block::decode(bytes, BODY_BYTES_MAX) {
        assert_eq!(block.encode(), bytes, "a second encoding of a block");
    }
    let sky = Hash::of(b"a sky");
    if let Ok(certificate) = Certificate::decode(bytes) {
        assert_eq!(certificate.encode(), bytes, "a second encoding of a certificate");
        let _ = verify_certificate(sky, certificate.epoch(), &SET, bytes);
    }
    if let Ok(evidence) = Evidence::decode(bytes) {
        assert_eq!(evidence.encode(), bytes, "a second encoding of evidence");
        let _ = verify_evidence(sky, evidence.epoch(), &SET, bytes);
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    let read = |(name, digits): (&str, &str)| (name.to_owned(), hex::decode(digits).expect("digits"));
    FORMATS.lines().filter_map(|line| line.split_once(' ')).map(read).collect()
}
