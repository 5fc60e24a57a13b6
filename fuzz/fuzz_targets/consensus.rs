//! Blocks, certificates and evidence as validators and followers read them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_consensus::{
    Block, Certificate, Evidence, Header, ValidatorSet, verify_certificate, verify_evidence,
};
use opensky_types::{Hash, Keypair};
use std::sync::LazyLock;

const BODY_BYTES_MAX: usize = 64;

static SET: LazyLock<ValidatorSet> = LazyLock::new(|| {
    let keys = (1..=4_u8).map(|seed| Keypair::from_seed([seed; 32]).id());
    ValidatorSet::new(keys).expect("four keys")
});

fuzz_target!(|bytes: &[u8]| {
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
});
