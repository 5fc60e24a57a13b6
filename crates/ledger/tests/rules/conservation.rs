//! Whatever people try, in whatever order: money is conserved, rejected transactions leave no trace,
//! and what does not touch the same accounts may come in any order.

use crate::common::{STEP_MS, Sky, account, agreement, micros, transfer};
use opensky_ledger::{
    action::Action,
    escrow::{ClaimItem, PayItem},
    evm::Address,
    transaction::Checked,
};
use opensky_types::Hash;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};

#[derive(Debug, Clone)]
enum Step {
    Act(u8, Action),
    Open { consumer: u8, agreement: u8, provider: u8, amount: u64 },
    Wait(u64),
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1..5_000_u64, 400_000..1_200_000_u64, Just(u64::MAX)]
}

fn owed() -> impl Strategy<Value = PayItem> {
    (0..4_u8, amount(), any::<bool>()).prop_map(|(number, amount, receipts)| PayItem {
        agreement: agreement(number),
        cumulative: micros(amount),
        receipts: Hash::from_bytes([u8::from(receipts); 32]),
    })
}

fn action() -> impl Strategy<Value = Action> {
    let request = Hash::of(b"request");
    let claim = |(owed, sequence, is_last): (PayItem, u64, bool)| ClaimItem {
        owed,
        count: 1,
        sequence,
        is_last,
        voucher: None,
    };
    prop_oneof![
        3 => (1..8_u8, amount()).prop_map(|(to, amount)| transfer(to, amount)),
        1 => (0..4_u8, amount()).prop_map(|(number, amount)| Action::TopUp {
            agreement: agreement(number),
            amount: micros(amount)
        }),
        2 => proptest::collection::vec(owed(), 1..3).prop_map(|items| Action::Pay { items }),
        3 => proptest::collection::vec((owed(), 1..4_u64, any::<bool>()).prop_map(claim), 1..3)
            .prop_map(|items| Action::Claim { items }),
        2 => (0..4_u8, 1..4_u64, amount()).prop_map(|(number, sequence, owed)| Action::Object {
            agreement: agreement(number),
            sequence,
            owed: micros(owed)
        }),
        1 => (0..4_u8).prop_map(|number| Action::CloseEscrow { agreement: agreement(number) }),
        1 => (1..7_u8, amount()).prop_map(move |(provider, limit)| Action::BeginCharge {
            request,
            provider: account(provider),
            limit: micros(limit)
        }),
        1 => (1..7_u8, amount()).prop_map(move |(consumer, cost)| Action::CompleteCharge {
            consumer: account(consumer),
            request,
            cost: micros(cost)
        }),
        1 => amount().prop_map(|amount| Action::Withdraw {
            chain: 1,
            address: Address::from_bytes([1; 20]),
            amount: micros(amount)
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let open = (1..7_u8, 0..4_u8, 1..7_u8, amount());
    prop_oneof![
        6 => (1..7_u8, action()).prop_map(|(number, action)| Step::Act(number, action)),
        2 => open.prop_map(|(consumer, agreement, provider, amount)| Step::Open {
            consumer,
            agreement,
            provider,
            amount
        }),
        1 => prop_oneof![Just(1_000), Just(61_000), Just(130_000), Just(4_000_000)].prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Each step is a block of its own; the harness checks the sum over the whole state, the root and
    /// that a second ledger agrees after each.
    #[test]
    fn l5_money_is_conserved_after_each_transaction(steps in proptest::collection::vec(step(), 1..40)) {
        let mut sky = Sky::new();
        for step in steps {
            match step {
                Step::Act(number, action) => drop(sky.act(number, action)),
                Step::Open { consumer, agreement, provider, amount } => {
                    let opening = sky.opening(agreement, provider, amount);
                    drop(sky.act(consumer, Action::OpenEscrow(opening)));
                }
                Step::Wait(ms) => sky.wait(ms),
            }
        }
        // In the end every escrow closes by itself and every request is dropped.
        sky.wait(10_000_000);
        sky.wait(10_000_000);
        let open = sky.ledger.state().entries().filter(|(_, entry)| {
            use opensky_ledger::entry::Entry;
            matches!(entry, Entry::Escrow(_) | Entry::Claim(_) | Entry::Charge(_) | Entry::Due)
        });
        prop_assert_eq!(open.count(), 0);
    }

    #[test]
    fn transfers_of_different_accounts_come_in_any_order(
        amounts in proptest::collection::vec(1_000..100_000_u64, 5),
        order in Just([1_u8, 2, 3, 4, 5]).prop_shuffle(),
    ) {
        let run = |order: [u8; 5]| {
            let mut sky = Sky::new();
            let signed = order.map(|number| {
                let action = transfer(number + 10, amounts[usize::from(number) - 1]);
                sky.signed(number, action).check().expect("the signatures are right")
            });
            let rejected = sky.block(Vec::<Checked>::from(signed), STEP_MS);
            assert!(rejected.is_empty(), "{rejected:?}");
            sky.ledger.state().root()
        };
        prop_assert_eq!(run(order), run([1, 2, 3, 4, 5]));
    }
}
