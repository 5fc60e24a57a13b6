//! Stake, machines, debts, work, reports, epochs and slashing in any order: no money is made or lost.

use crate::common::{STEP_MS, Sky, account, agreement, micros, transfer};
use opensky_ledger::{
    action::Action,
    entry::Entry,
    escrow::PayItem,
    fact::Fact,
    key::Key,
    params::Params,
    reputation::{AuditReport, Verdict},
};
use opensky_types::{AccountId, Hash};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Act(u8, Action),
    Register(u8, [u8; 5]),
    Open(u8, u8, u8, u64),
    Blame(u8, u8, u64, bool),
    TwoVotes(u8, u64),
    Wait(u64),
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 1_000..400_000_u64, 1 => Just(0), 1 => Just(u64::MAX)]
}

fn step() -> impl Strategy<Value = Step> {
    // Members and the validators, who are members as well.
    let who = || prop_oneof![3 => 1..7_u8, 2 => 100..103_u8, 1 => 20..24_u8];
    let act = prop_oneof![
        3 => amount().prop_map(|amount| Action::Stake { amount: micros(amount) }),
        3 => amount().prop_map(|amount| Action::Unstake { amount: micros(amount) }),
        2 => (who(), amount()).prop_map(|(to, amount)| transfer(to, amount)),
        2 => (who(), 0..3_u64).prop_map(|(provider, request)| Action::BeginCharge {
            request: Hash::of(&request.to_le_bytes()),
            provider: account(provider),
            limit: micros(2_000_000),
        }),
        3 => (who(), 0..3_u64, amount()).prop_map(|(consumer, request, cost)| Action::CompleteCharge {
            consumer: account(consumer),
            request: Hash::of(&request.to_le_bytes()),
            cost: micros(cost),
        }),
        2 => (0..3_u8, amount()).prop_map(|(number, amount)| Action::Pay {
            items: vec![PayItem {
                agreement: agreement(number),
                cumulative: micros(amount),
                receipts: Hash::of(&amount.to_le_bytes()),
            }]
        }),
        2 => (0..3_u8, amount(), 1..4_u64).prop_map(|(number, amount, sequence)| Action::Claim {
            items: vec![crate::escrow::unsigned(number, amount, sequence)]
        }),
        1 => who().prop_map(|number| Action::ValidatorRemove { account: account(number) }),
    ];
    prop_oneof![
        12 => (who(), act).prop_map(|(number, action)| Step::Act(number, action)),
        4 => (who(), prop::array::uniform5(1..4_u8)).prop_map(|(number, parts)| Step::Register(number, parts)),
        2 => (who(), 0..3_u8, who(), amount())
            .prop_map(|(consumer, number, provider, amount)| Step::Open(consumer, number, provider, amount)),
        2 => (who(), 0..3_u8, 0..5_u64, any::<bool>())
            .prop_map(|(by, number, receipt, made_up)| Step::Blame(by, number, receipt, made_up)),
        1 => (100..103_u8, 0..4_u64).prop_map(|(number, epoch)| Step::TwoVotes(number, epoch)),
        3 => prop_oneof![Just(STEP_MS), Just(30_000), Just(86_400_000)].prop_map(Step::Wait),
    ]
}

fn blame(by: u8, number: u8, receipt: u64, made_up: bool) -> (Vec<u8>, Action) {
    let mut witnesses: Vec<AccountId> = (100..103).map(account).collect();
    witnesses.sort_unstable();
    let receipt = Hash::of(&receipt.to_le_bytes());
    let verdict = if made_up { Verdict::MadeUp } else { Verdict::Failed };
    let report = AuditReport { agreement: agreement(number), receipt, verdict, witnesses };
    (vec![by, 100, 101, 102], Action::AuditReport(report))
}

/// The entries of each domain hold together, beyond what the harness checks of money and root.
fn check(sky: &Sky, params: &Params) {
    let mut machines = 0;
    for (key, entry) in sky.ledger.state().entries() {
        match (key, entry) {
            (Key::Account(id), Entry::Account(account)) => {
                assert!(
                    account.debt.is_none_or(|debt| debt.amount.get() > 0),
                    "{id} owes nothing to someone"
                );
            }
            (_, Entry::Stake(stake)) => {
                stake.check();
                assert!(!stake.is_empty(), "an empty stake is no entry");
            }
            (_, Entry::Reputation(reputation)) => reputation.check(&params.daily_caps),
            (_, Entry::Roster(roster)) => {
                roster.check();
                let nodes: Vec<_> = roster.in_force().iter().map(|voter| voter.node).collect();
                assert_eq!(sky.ledger.state().get(&Key::Validators), Some(&Entry::Validators(nodes)));
            }
            (Key::Machine(number), Entry::Machine(machine)) => {
                machine.check();
                machines += 1;
                for account in &machine.accounts {
                    let registered = sky.ledger.state().get(&Key::MachineOf(*account));
                    assert_eq!(registered, Some(&Entry::MachineOf(number)), "both know each other");
                }
            }
            _ => {}
        }
    }
    let counted = sky.ledger.state().get(&Key::Machines);
    assert_eq!(counted.cloned(), (machines > 0).then_some(Entry::Machines(machines)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// Each step is a block of its own; the harness checks after each that money is conserved, that a
    /// rejected transaction left no trace, and that a second ledger agrees.
    #[test]
    fn l5_trust_and_money_hold_together(steps in prop::collection::vec(step(), 1..50)) {
        let params = Params {
            puzzle_bits: 2,
            epoch_blocks: 7,
            unbonding_ms: 40_000,
            validator_stake_min: micros(1_000),
            ..Params::default()
        };
        let mut sky = Sky::with(params);
        sky.register_validators();
        for step in steps {
            match step {
                Step::Act(number, action) => drop(sky.act(number, action)),
                Step::Register(number, parts) => drop(sky.act(number, sky.registration(number, parts))),
                Step::Open(consumer, number, provider, amount) => {
                    let opening = sky.opening(number, provider, amount);
                    drop(sky.act(consumer, Action::OpenEscrow(opening)));
                }
                Step::Blame(by, number, receipt, made_up) => {
                    let (mut signers, action) = blame(by, number, receipt, made_up);
                    signers.dedup();
                    signers.sort_unstable();
                    signers.dedup();
                    drop(sky.act_by(account(by), &signers, action));
                }
                Step::TwoVotes(number, epoch) => {
                    let node = crate::common::key(number).id();
                    sky.block_with(vec![Fact::TwoVotes { node, epoch, evidence: Vec::new() }]);
                }
                Step::Wait(ms) => sky.wait(ms),
            }
            check(&sky, &params);
        }
    }
}
