//! Receipts as a stranger shows them, and jobs as a client submits them.

use crate::Seeds;
use opensky_types::{codec, job::JobSpec, receipt::ReceiptProof, rotation::RotationProof, samples};

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    if let Ok(proof) = codec::decode::<ReceiptProof>(bytes, bytes.len()) {
        assert!(codec::encode(&proof) == bytes, "a second encoding was accepted");
        // The sample's provider signed its sample receipts and nothing else.
        let claims_more = proof.receipt.usage.fuel != samples::usage().fuel;
        if proof.receipt.provider == samples::provider().id() && claims_more {
            proof.verify().expect_err("a forged receipt was accepted");
        }
    }
    if let Ok(proof) = codec::decode::<RotationProof>(bytes, bytes.len()) {
        let _ = proof.verify();
    }
    if let Ok(job) = codec::decode::<JobSpec>(bytes, bytes.len())
        && job.validate().is_ok()
    {
        job.task_counts();
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    let rotation = RotationProof::sign(&samples::keypair(1), &samples::keypair(2), samples::NOW);
    crate::seeds([
        ("proof", codec::encode(&samples::receipt_proof(3, 1))),
        ("rotation", codec::encode(&rotation)),
        ("job", codec::encode(&samples::full_job())),
        ("ruled_job", codec::encode(&samples::ruled_job())),
    ])
}
