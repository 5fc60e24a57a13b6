//! The Merkle-sum tree over withdrawal claims.

use opensky_ledger::evm::{
    Address, Keccak,
    claims::{Claim, ClaimProof, ClaimProofError, ClaimTree, ClaimsError, DEPTH_MAX, SumNode},
};
use opensky_types::{Hash, Micros, codec};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

fn claim(number: u8, cumulative: u64) -> Claim {
    let (account, address) = (Hash::from_bytes([number; 32]), Address::from_bytes([number; 20]));
    Claim { account, chain: 1, address, cumulative: Micros::new(cumulative) }
}

fn claims(amounts: &[u64]) -> Vec<Claim> {
    (0..).zip(amounts).map(|(number, amount)| claim(number, *amount)).collect()
}

fn proof(tree: &ClaimTree, claim: &Claim) -> ClaimProof {
    tree.prove(&claim.account, claim.chain, &claim.address).expect("the claim is in the tree").1
}

proptest! {
    #[test]
    fn each_claim_is_proven_with_the_total_and_no_other(
        amounts in proptest::collection::vec(any::<u64>(), 1..70), more in 1..1_000_u64,
    ) {
        let claims = claims(&amounts);
        let tree = ClaimTree::new(claims.clone()).expect("the claims are in order");
        let root = tree.root();
        prop_assert_eq!(root.sum, amounts.iter().map(|amount| u128::from(*amount)).sum::<u128>());
        for claim in &claims {
            let bytes = codec::encode(&proof(&tree, claim));
            let proof: ClaimProof = codec::decode(&bytes, bytes.len()).expect("our own proof is read");
            prop_assert_eq!(proof.verify(&root, claim), Ok(()));
            let larger = Claim { cumulative: Micros::new(claim.cumulative.get().wrapping_add(more)), ..*claim };
            prop_assert!(proof.verify(&root, &larger).is_err());
            let elsewhere = Claim { chain: 137, ..*claim };
            prop_assert!(proof.verify(&root, &elsewhere).is_err());
            let other_total = SumNode { sum: root.sum + 1, ..root };
            prop_assert!(proof.verify(&other_total, claim).is_err());
        }
    }

    #[test]
    fn every_change_of_a_proof_is_refused(
        amounts in proptest::collection::vec(any::<u64>(), 2..40), place in 0..10_000_usize, flip in 1..=255_u8,
    ) {
        let claims = claims(&amounts);
        let tree = ClaimTree::new(claims.clone()).expect("the claims are in order");
        let claim = &claims[place % claims.len()];
        let mut bytes = codec::encode(&proof(&tree, claim));
        let place = place % bytes.len();
        bytes[place] ^= flip;
        if let Ok(changed) = codec::decode::<ClaimProof>(&bytes, bytes.len()) {
            prop_assert!(changed.verify(&tree.root(), claim).is_err());
        }
    }
}

#[test]
fn l5_a_sum_that_overflows_is_refused() {
    let claim = claim(1, 2);
    let sibling = SumNode { hash: Keccak::of(b"x"), sum: u128::MAX - 1 };
    let proof = ClaimProof { sides: 0, siblings: vec![sibling] };
    let wrapped = SumNode { hash: Keccak::of(b"root"), sum: 0 };
    assert_eq!(proof.verify(&wrapped, &claim), Err(ClaimProofError::Overflow));
}

/// Maxwell's first construction hashed only the sum of both children, so a node could show one
/// customer a small left and another a small right sum.
#[test]
fn l5_a_sum_can_not_be_moved_from_one_child_to_the_other() {
    let claims = claims(&[10, 20, 30, 40]);
    let tree = ClaimTree::new(claims.clone()).expect("the claims are in order");
    let mut proof = proof(&tree, &claims[0]);
    proof.siblings[0].sum -= 5;
    proof.siblings[1].sum += 5;
    let result = proof.verify(&tree.root(), &claims[0]);
    assert!(matches!(result, Err(ClaimProofError::WrongRoot { total: 100, found_total: 100, .. })));
}

#[test]
fn a_proof_has_one_form_and_a_capped_depth() {
    let claims = claims(&[10, 20, 30]);
    let tree = ClaimTree::new(claims.clone()).expect("the claims are in order");
    let good = proof(&tree, &claims[0]);
    let second = ClaimProof { sides: good.sides | 1 << 2, ..good.clone() };
    assert_eq!(second.verify(&tree.root(), &claims[0]), Err(ClaimProofError::Sides { siblings: 2 }));
    let siblings = vec![SumNode::default(); DEPTH_MAX + 1];
    let deep = ClaimProof { sides: 0, siblings };
    assert_eq!(deep.verify(&tree.root(), &claims[0]), Err(ClaimProofError::TooDeep { siblings: 33 }));
    assert!(codec::decode::<ClaimProof>(&codec::encode(&deep), 10_000).is_err());
}

#[test]
fn l4_two_claims_for_one_address_make_no_tree() {
    let twice = vec![claim(1, 5), claim(1, 6)];
    assert_eq!(ClaimTree::new(twice).err(), Some(ClaimsError::Order { index: 1 }));
    let unordered = vec![claim(2, 5), claim(1, 6)];
    assert_eq!(ClaimTree::new(unordered).err(), Some(ClaimsError::Order { index: 1 }));
}

#[test]
fn no_claims_are_a_root_of_zeros() {
    let tree = ClaimTree::new(Vec::new()).expect("nothing is in order");
    assert_eq!(tree.root(), SumNode::default());
    assert_eq!(tree.prove(&Hash::of(b"x"), 1, &Address::from_bytes([1; 20])), None);
}
