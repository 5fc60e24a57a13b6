//! The draw of audits: the same for all, fair, and known only with the block.

use opensky_ledger::reputation::{AUDIT_RATE_WHOLE, AuditRate, Score, Tier, audit_drawn};
use opensky_types::Hash;

fn hash(number: u64) -> Hash {
    Hash::of(&number.to_le_bytes())
}

fn drawn(rate: AuditRate, block: u64, receipts: u64) -> u64 {
    (0..receipts).filter(|receipt| audit_drawn(rate, &hash(block), &hash(*receipt))).count() as u64
}

#[test]
fn all_and_none_are_exact() {
    assert_eq!(drawn(AuditRate::of_100_000(0), 1, 10_000), 0);
    assert_eq!(drawn(AuditRate::of_100_000(AUDIT_RATE_WHOLE), 1, 10_000), 10_000);
    assert_eq!(AuditRate::of_100_000(u32::MAX).parts(), AUDIT_RATE_WHOLE);
}

#[test]
fn each_tier_is_audited_at_its_rate() {
    const RECEIPTS: u64 = 200_000;
    for tier in [Tier::New, Tier::Established, Tier::Trusted, Tier::Veteran] {
        let parts = u64::from(tier.audit_rate().parts());
        let expected = RECEIPTS * parts / u64::from(AUDIT_RATE_WHOLE);
        let found = drawn(tier.audit_rate(), 7, RECEIPTS);
        // Five standard deviations: sqrt(n p (1 - p)), and p (1 - p) is at most p.
        let slack = 5 * expected.isqrt() + 1;
        assert!(found.abs_diff(expected) <= slack, "{tier}: {found} of {RECEIPTS}, {expected} expected");
    }
}

#[test]
fn a_higher_rate_draws_all_that_a_lower_one_draws() {
    for receipt in 0..5_000 {
        let at = |score| {
            let rate = Score::new(score).expect("on the scale").tier().audit_rate();
            audit_drawn(rate, &hash(3), &hash(receipt))
        };
        assert!(!at(950) || at(700));
        assert!(!at(700) || at(400));
        assert!(!at(400) || at(200));
    }
}

#[test]
fn another_block_draws_others() {
    let rate = AuditRate::of_100_000(50_000);
    let differ = (0..2_000)
        .filter(|receipt| {
            audit_drawn(rate, &hash(1), &hash(*receipt)) != audit_drawn(rate, &hash(2), &hash(*receipt))
        })
        .count();
    assert!((800..1_200).contains(&differ), "half of them: {differ}");
}

#[test]
fn the_draw_is_the_same_for_ever() {
    let rate = Tier::Established.audit_rate();
    let first: Vec<u64> =
        (0..100).filter(|receipt| audit_drawn(rate, &hash(0), &hash(*receipt))).take(5).collect();
    assert_eq!(first, [28, 47, 83], "changing the draw is a change of rules");
}
