//! Everything that a user pastes: invite tokens, ids, hashes, sizes, names of images, GPUs.

use crate::{Seeds, check_text};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signature, Signed, TaskId, codec,
    job::{GPUS_MAX, GpuNeed, ImageRef},
    membership::InviteToken,
    resources::ByteSize,
    samples,
    task::is_safe_output_path,
};

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    // Past the checksum, which a fuzzer does not guess.
    if let Ok(invite) = codec::decode(bytes, 64 * 1024) {
        let token = InviteToken(invite);
        if bytes.len() < 4_096 {
            assert!(token.to_string().parse::<InviteToken>().is_ok_and(|again| again == token));
        }
        let _ = token.0.verify();
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check_text::<InviteToken>(text);
    check_text::<NodeId>(text);
    check_text::<Hash>(text);
    check_text::<AgreementId>(text);
    check_text::<JobId>(text);
    check_text::<TaskId>(text);
    check_text::<Signature>(text);
    // A size is rounded when it is shown, so it is only read.
    let _ = text.parse::<ByteSize>();
    if let Ok(image) = text.parse::<ImageRef>() {
        assert_eq!(image.to_string().parse(), Ok(image.clone()), "in full it is the same");
        // Whatever is allowed by its own name is allowed, and it leads nowhere else when it becomes an address.
        assert!(image.is_from(image.registry()) && !image.repository().contains([':', '@', '?', '#', ' ']));
        assert!(image.repository().split('/').all(|part| !part.is_empty() && part != ".."));
    }
    // Its memory is rounded when it is shown.
    if let Ok(need) = text.parse::<GpuNeed>() {
        assert!((1..=GPUS_MAX).contains(&need.count));
    }
    if is_safe_output_path(text) {
        let joined = std::path::Path::new("/out").join(text);
        assert!(joined.starts_with("/out"));
        assert!(joined.components().all(|part| part != std::path::Component::ParentDir));
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    let invite = Signed::sign(&samples::invite(), &samples::founder());
    crate::seeds([
        ("bytes", codec::encode(&invite)),
        ("token", InviteToken(invite).to_string().into_bytes()),
        ("node", samples::node(3).to_string().into_bytes()),
        ("job", samples::job_id().to_string().into_bytes()),
        ("task", b"0.17".to_vec()),
        ("size", b"64MiB".to_vec()),
        ("image", format!("ghcr.io/owner/name:1@sha256:{}", "0a".repeat(32)).into_bytes()),
        ("gpus", b"2,memory=16GiB,vendor=nvidia,model=a100".to_vec()),
        ("path", b"out/part-1.txt".to_vec()),
    ])
}
