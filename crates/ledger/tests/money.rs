//! Purses and debts: what goes in comes out, and granted money stays marked.

use opensky_ledger::{
    account::{Account, Debt},
    purse::Purse,
};
use opensky_types::{AccountId, Micros};
use proptest::prelude::*;

fn purse() -> impl Strategy<Value = Purse> {
    let amount = prop_oneof![0..1_000_u64, Just(u64::MAX / 2), Just(u64::MAX)];
    (amount.clone(), amount)
        .prop_map(|(free, granted)| Purse { free: Micros::new(free), granted: Micros::new(granted) })
        .prop_filter("a purse fits", |purse| purse.free.checked_add(purse.granted).is_some())
}

proptest! {
    #[test]
    fn l5_a_split_loses_nothing_and_an_overflow_is_refused(one in purse(), other in purse(), part in 0..2_000_u64) {
        for split in [one.split(Micros::new(part)), one.split_free_first(Micros::new(part))] {
            match split {
                Some((taken, rest)) => {
                    prop_assert_eq!(taken.total(), Micros::new(part));
                    prop_assert_eq!(taken.plus(rest), Some(one));
                }
                None => prop_assert!(one.total() < Micros::new(part)),
            }
        }
        let sum = u128::from(one.total().get()) + u128::from(other.total().get());
        prop_assert_eq!(one.plus(other).is_some(), u64::try_from(sum).is_ok());
    }

    #[test]
    fn l5_money_pays_debts_first_and_the_creditor_gets_all_of_it(available in purse(), owed in 1..2_000_u64) {
        let creditor = AccountId::from_bytes([7; 32]);
        let debt = Some(Debt { amount: Micros::new(owed), creditor });
        let account = Account { debt, available, ..Account::default() };
        match account.repaid() {
            Some((paid, to, after)) => {
                prop_assert_eq!(to, creditor);
                prop_assert_eq!(paid.plus(after.available), Some(available));
                prop_assert_eq!(after.balance(), account.balance());
                prop_assert!(after.debt.is_none() || after.available.is_empty());
            }
            None => prop_assert!(available.is_empty()),
        }
    }
}
