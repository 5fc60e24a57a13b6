//! Whatever nodes sign, in its signature and out of it, and chains of such.

use crate::{Seeds, check_value};
use opensky_identity::rotation::verify_chain;
use opensky_ledger::approval::Approval;
use opensky_types::{
    Signed,
    agreement::{Acceptance, Terms},
    codec,
    membership::{Genesis, Invite, InvitePolicy, Membership, MembershipChain},
    offer::Offer,
    receipt::{BatchHead, Countersignature},
    rotation::{Rotation, RotationProof},
    samples,
    service::{Advert, Declaration, Declared, Placement, ServiceSpec},
    signed::Signable,
};

/// Longest chain or set of values that is read.
const BYTES_MAX: usize = 64 * 1024;

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    check_signable::<Offer>(bytes);
    check_signable::<Invite>(bytes);
    check_signable::<Membership>(bytes);
    check_signable::<BatchHead>(bytes);
    check_signable::<Countersignature>(bytes);
    check_signable::<Rotation>(bytes);
    check_signable::<Terms>(bytes);
    check_signable::<Acceptance>(bytes);
    check_signable::<Declaration>(bytes);
    check_signable::<Placement>(bytes);
    check_signable::<Advert>(bytes);
    if let Some(spec) = check_value::<ServiceSpec>(bytes, BYTES_MAX)
        && spec.validate().is_ok()
    {
        let _ = (spec.hash(), spec.demand());
    }
    check_value::<Approval>(bytes, BYTES_MAX);
    check_value::<Declared>(bytes, BYTES_MAX);
    check_value::<Genesis>(bytes, BYTES_MAX);
    if let Some(chain) = check_value::<MembershipChain>(bytes, BYTES_MAX) {
        let _ = chain.verify(&samples::genesis(InvitePolicy::Members), samples::node(3));
    }
    if let Some(proofs) = check_value::<Vec<RotationProof>>(bytes, BYTES_MAX)
        && !proofs.is_empty()
    {
        verify_chain(&proofs, samples::node(9)).expect_err("node 9 never changed its key");
    }
}

/// Both the value and its signed form. What is inside a signature is a value too.
fn check_signable<T: Signable>(bytes: &[u8]) {
    check_value::<T>(bytes, T::SIZE_BYTES_MAX);
    if let Some(signed) = check_value::<Signed<T>>(bytes, BYTES_MAX) {
        // Bytes, their number, signer and signature.
        let inside = bytes.get(4..bytes.len() - 96).unwrap_or_default();
        let value = check_value::<T>(inside, T::SIZE_BYTES_MAX);
        assert!(value.is_some() == signed.decode_unverified().is_ok(), "inside and out");
    }
}

/// First inputs: each kind once, signed or not.
pub fn seeds() -> Seeds {
    let (genesis, provider) = (samples::genesis(InvitePolicy::Members), samples::provider());
    let (head, _) = samples::receipts(3);
    let rotation = RotationProof::sign(&samples::keypair(1), &samples::keypair(2), samples::NOW);
    let root = *samples::agreement_id().hash();
    crate::seeds([
        ("offer", codec::encode(&samples::offer(1))),
        ("offer_for_containers", codec::encode(&samples::rich_offer(1))),
        ("terms_with_needs", codec::encode(&Terms { program: samples::needy_program(), ..samples::terms() })),
        ("signed_offer", codec::encode(&Signed::sign(&samples::offer(1), &provider))),
        ("invite", codec::encode(&samples::invite())),
        ("batch_head", codec::encode(&head)),
        ("countersignature", codec::encode(&samples::countersignature(root, 3, &[1]))),
        ("terms", codec::encode(&samples::terms())),
        ("signed_terms", codec::encode(&samples::signed_terms())),
        ("acceptance", codec::encode(&samples::acceptance())),
        ("declaration", codec::encode(&samples::declaration())),
        ("declared", codec::encode(&samples::declared())),
        ("service", codec::encode(&samples::service())),
        ("placement", codec::encode(&samples::signed_placement())),
        ("advert", codec::encode(&samples::advert())),
        ("genesis", codec::encode(&genesis)),
        ("chain", codec::encode(&samples::membership(&genesis, samples::node(3)))),
        ("rotations", codec::encode(&vec![rotation])),
    ])
}
