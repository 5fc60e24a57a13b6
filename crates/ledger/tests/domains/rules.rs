//! A switch of rules happens at one height, for everyone.

use opensky_ledger::rules::{Rules, RulesError, RulesLimits, RulesVersion, Switch};

const LIMITS: RulesLimits = RulesLimits { notice_blocks: 100 };
const SECOND: RulesVersion = RulesVersion::new(2);

#[test]
fn rules_switch_at_their_height_and_not_before() {
    let mut rules = Rules::new(RulesVersion::FIRST);
    rules.schedule(&LIMITS, 10, SECOND, 110).expect("far enough");
    assert_eq!(rules.switch(), Some(Switch { version: SECOND, height: 110 }));
    assert_eq!([10, 109, 110, u64::MAX].map(|height| rules.at(height).get()), [1, 1, 2, 2]);
    assert_eq!(rules.begin_block(109), None);
    assert_eq!(rules.begin_block(110), Some(SECOND));
    assert_eq!((rules.at(110), rules.switch()), (SECOND, None));
    assert_eq!(rules.begin_block(111), None, "once");
}

#[test]
fn a_switch_that_comes_too_soon_or_skips_a_version_is_refused() {
    let mut rules = Rules::new(RulesVersion::FIRST);
    let near = RulesError::TooNear { height: 109, earliest: 110 };
    assert_eq!(rules.schedule(&LIMITS, 10, SECOND, 109), Err(near));
    for number in [0, 1, 3, u32::MAX] {
        let wanted = RulesVersion::new(number);
        let refused = RulesError::NotNext { in_force: RulesVersion::FIRST, wanted };
        assert_eq!(rules.schedule(&LIMITS, 10, wanted, 1_000), Err(refused));
    }
    let none = RulesLimits { notice_blocks: 0 };
    assert!(rules.schedule(&none, 10, SECOND, 10).is_err(), "never in the block that says so");
    let mut last = Rules::new(RulesVersion::new(u32::MAX));
    assert!(last.schedule(&LIMITS, 10, RulesVersion::new(0), 1_000).is_err(), "versions don't wrap");
}

#[test]
fn a_switch_can_be_moved_or_called_off_until_it_happens() {
    let mut rules = Rules::new(RulesVersion::FIRST);
    rules.schedule(&LIMITS, 10, SECOND, 110).expect("far enough");
    rules.schedule(&LIMITS, 20, SECOND, 500).expect("moves it");
    assert_eq!(rules.at(499), RulesVersion::FIRST);
    assert_eq!(rules.call_off(30), Ok(Switch { version: SECOND, height: 500 }));
    assert_eq!(rules.call_off(31), Err(RulesError::NoSwitch));
    rules.schedule(&LIMITS, 40, SECOND, 140).expect("far enough");
    assert_eq!(rules.call_off(140), Err(RulesError::NoSwitch), "it has happened");
    assert_eq!(rules.at(140), SECOND);
}
