//! Everything that a user pastes: invite tokens, ids, hashes, sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signature, TaskId, codec, membership::InviteToken, resources::ByteSize,
    task::is_safe_output_path,
};

/// What is read is shown as a text that reads the same.
fn check_text<T: std::str::FromStr + ToString + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert!(value.to_string().parse().is_ok_and(|again: T| again == value));
    }
}

fuzz_target!(|bytes: &[u8]| {
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
    if is_safe_output_path(text) {
        let joined = std::path::Path::new("/out").join(text);
        assert!(joined.starts_with("/out"));
        assert!(joined.components().all(|part| part != std::path::Component::ParentDir));
    }
});
