//! Transactions, blocks and entries do not change by accident: their bytes stand in `tests/golden/`.
//!
//! A difference means that old signatures, blocks and states would not be understood any more: raise
//! the version, or, before a release, write the file anew with `UPDATE_GOLDEN=1`.

#![expect(clippy::disallowed_methods, reason = "golden files are files")]

use crate::common::{
    STEP_MS, Sky, account, agreement, approve, approve_text, approve_typed, evm_key, key, micros, public,
    transfer,
};
use opensky_ledger::{
    account::{KeySet, Session},
    action::Action,
    approval::Statement,
    entry::Entry,
    escrow::{ClaimItem, PayItem, VoucherStatement},
    evm::Address,
    fact::Fact,
    key::{Due, Key},
    memo::Memo,
    params::Params,
    puzzle::Solution,
    registry::Registration,
    reputation::{AuditReport, OnlineReport, Verdict},
    rules::RulesVersion,
    validators::Candidate,
};
use opensky_types::{Hash, Timestamp, codec};
use std::{fs, path::Path};

pub fn actions(sky: &Sky) -> Vec<(&'static str, Action)> {
    [actions_with_money(sky), actions_of_members()].concat()
}

fn actions_with_money(sky: &Sky) -> Vec<(&'static str, Action)> {
    let hash = Hash::from_bytes([5; 32]);
    let owed = PayItem { agreement: agreement(1), cumulative: micros(900), receipts: hash };
    let session =
        Session { scope: 0x41, left: micros(77), expires_at: Timestamp::from_millis(1_900_000_000_000) };
    let voucher = Some(approve(&sky.transaction(account(1), Action::UnlinkOwner), &key(1)));
    let memo = Memo::new("rent").expect("a memo");
    vec![
        ("transfer", Action::Transfer { to: account(2), amount: micros(5), memo }),
        ("rotate_keys", Action::RotateKeys { keys: KeySet { keys: vec![public(1)], threshold: 1 } }),
        ("delegate", Action::Delegate { key: public(30), session }),
        ("revoke_session", Action::RevokeSession { key: public(30) }),
        ("link_owner", Action::LinkOwner { owner: account(2) }),
        ("unlink_owner", Action::UnlinkOwner),
        ("open_escrow", Action::OpenEscrow(sky.opening(1, 2, 3_000))),
        ("top_up", Action::TopUp { agreement: agreement(1), amount: micros(5) }),
        ("pay", Action::Pay { items: vec![owed] }),
        (
            "claim",
            Action::Claim { items: vec![ClaimItem { owed, count: 3, sequence: 2, is_last: true, voucher }] },
        ),
        ("object", Action::Object { agreement: agreement(1), sequence: 2, owed: micros(4) }),
        ("close_escrow", Action::CloseEscrow { agreement: agreement(1) }),
        ("begin_charge", Action::BeginCharge { request: hash, provider: account(2), limit: micros(9) }),
        ("complete_charge", Action::CompleteCharge { consumer: account(1), request: hash, cost: micros(8) }),
        ("withdraw", Action::Withdraw { chain: 1, address: Address::from_bytes([7; 20]), amount: micros(3) }),
        ("deposit", Action::Deposit { chain: 1, id: hash, to: account(2), amount: micros(2_000) }),
    ]
}

/// Those of stake, machines, reputation, validators and rules.
fn actions_of_members() -> Vec<(&'static str, Action)> {
    let receipt = Hash::from_bytes([5; 32]);
    let witnesses = vec![account(100), account(101)];
    let solution = Solution::new(vec![1, 2, 3]).expect("few enough");
    let fingerprint = crate::members::fingerprint([1, 2, 3, 4, 5]);
    let registration = Registration { fingerprint, is_virtual: true, solution };
    let online = OnlineReport { day: 20_833, witnesses: witnesses.clone() };
    let audit = AuditReport { agreement: agreement(1), receipt, verdict: Verdict::MadeUp, witnesses };
    let checkpoint_key = Some(Address::from_bytes([7; 20]));
    let candidate = Candidate { account: account(1), node: key(50).id(), checkpoint_key };
    let version = RulesVersion::new(2);
    vec![
        ("stake", Action::Stake { amount: micros(5) }),
        ("unstake", Action::Unstake { amount: micros(5) }),
        ("register_machine", Action::RegisterMachine(registration)),
        ("report_online", Action::ReportOnline(online)),
        ("audit_report", Action::AuditReport(audit)),
        ("validator_add", Action::ValidatorAdd(candidate)),
        ("validator_remove", Action::ValidatorRemove { account: account(1) }),
        ("schedule_rules", Action::ScheduleRules { version, height: 5_000 }),
        ("call_off_rules", Action::CallOffRules),
        ("set_checkpoint_key", Action::SetCheckpointKey { key: Address::from_bytes([7; 20]) }),
    ]
}

/// A sky in which one of each entry is open.
pub fn busy_sky() -> Sky {
    let mut sky = Sky::with(Params { puzzle_bits: 2, ..Params::default() });
    let mut both = vec![public(1), public(20)];
    both.sort_unstable();
    let session = Session { scope: 1, left: micros(77), expires_at: sky.now().plus_ms(1_000_000) };
    let hash = Hash::from_bytes([5; 32]);
    let owed = PayItem { agreement: agreement(1), cumulative: micros(900), receipts: hash };
    let claim = ClaimItem { owed, count: 3, sequence: 1, is_last: false, voucher: None };
    let opening = sky.opening(1, 2, 3_000);
    let steps = [
        (1, vec![1], Action::Delegate { key: public(30), session }),
        (1, vec![1], Action::OpenEscrow(opening)),
        (2, vec![2], Action::Claim { items: vec![claim] }),
        (3, vec![3], Action::BeginCharge { request: hash, provider: account(2), limit: micros(9) }),
        (
            3,
            vec![3],
            Action::Withdraw { chain: 1, address: Address::from_bytes([7; 20]), amount: micros(1_003) },
        ),
        (3, vec![3, 4], Action::LinkOwner { owner: account(4) }),
        (
            4,
            vec![4, 100, 101, 102],
            Action::Deposit { chain: 1, id: hash, to: account(9), amount: micros(2_000) },
        ),
        (4, vec![4, 1, 20], Action::RotateKeys { keys: KeySet { keys: both, threshold: 2 } }),
    ];
    for (number, signers, action) in steps {
        sky.act_by(account(number), &signers, action).expect("it applies");
    }
    let parts = [1, 2, 3, 4, 5];
    sky.act(5, Action::Stake { amount: micros(5_000) }).expect("staked");
    sky.act(5, Action::Unstake { amount: micros(2_000) }).expect("on its way");
    sky.act(5, sky.registration(5, parts)).expect("registered");
    let item = PayItem { agreement: agreement(2), cumulative: micros(900), receipts: hash };
    sky.act(5, Action::OpenEscrow(sky.opening(2, 2, 3_000))).expect("opened");
    sky.act(5, Action::Pay { items: vec![item] }).expect("paid");
    let facts = vec![Fact::TwoVotes { node: key(101).id(), epoch: 0, evidence: Vec::new() }];
    sky.block_with(facts);
    sky
}

fn lines() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |name: String, text: String| lines.push((name, text));
    let sky = Sky::new();
    line("genesis.header".to_owned(), hex::encode(codec::encode(sky.ledger.head())));
    line("genesis.id".to_owned(), sky.ledger.head().id().to_string());
    for (name, action) in actions(&sky) {
        let transaction = sky.transaction(account(1), action);
        line(format!("transaction.{name}"), hex::encode(transaction.encode()));
        line(format!("kind.{name}"), transaction.action.kind().to_string());
        line(format!("text.{name}"), transaction.action.describe());
    }
    let transaction = sky.transaction(account(1), transfer(2, 5));
    line("id".to_owned(), transaction.id().to_string());
    line("message".to_owned(), hex::encode(transaction.message()));
    line("text".to_owned(), transaction.text().replace('\n', "\\n"));
    line("typed".to_owned(), transaction.typed().to_string());
    let approvals = [
        ("ed25519", approve(&transaction, &key(1))),
        ("ethereum_text", approve_text(&transaction, &evm_key(1))),
        ("ethereum_typed", approve_typed(&transaction, &evm_key(1))),
    ];
    for (name, approval) in approvals {
        line(format!("signed.{name}"), hex::encode(transaction.signed(vec![approval]).encode()));
    }
    let mut sky = busy_sky();
    for (key, entry) in sky.ledger.state().entries() {
        let name = format!("{key:?}");
        let name = name.split(['(', ' ']).next().unwrap_or_default();
        line(
            format!("entry.{name}"),
            format!("{} {}", hex::encode(codec::encode(&key)), hex::encode(codec::encode(entry))),
        );
    }
    line("state".to_owned(), sky.ledger.state().root().to_string());
    let escrow = crate::escrow::escrow(&sky, 1).expect("it is open");
    let voucher = VoucherStatement::new(crate::common::sky_id(), &escrow, &crate::escrow::owed(1, 5));
    line("voucher.message".to_owned(), hex::encode(voucher.message()));
    line("voucher.text".to_owned(), voucher.text().replace('\n', "\\n"));
    line("voucher.typed".to_owned(), voucher.typed().to_string());
    let checked = sky.signed(5, transfer(2, 5)).check().expect("the signature is right");
    let (head, time) = (sky.ledger.head().id(), sky.now().plus_ms(STEP_MS));
    let facts = vec![Fact::TwoVotes { node: key(100).id(), epoch: 0, evidence: vec![1, 2, 3] }];
    let made = sky.ledger.propose_with(&head, time, facts, vec![checked], 1 << 20).expect("a block");
    line("block".to_owned(), hex::encode(made.block.encode()));
    line("block.id".to_owned(), made.block.id().to_string());
    lines
}

#[test]
fn formats_stay_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rules.txt");
    let found: String = lines().iter().map(|(name, text)| format!("{name} {text}\n")).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).expect("the golden folder is writable");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (expected, found) in golden.lines().zip(found.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(golden.lines().count(), found.lines().count(), "a line per value");
}

#[test]
fn every_kind_of_action_has_the_number_of_its_format() {
    let sky = Sky::new();
    let actions = actions(&sky);
    for (number, (name, action)) in actions.iter().enumerate() {
        assert_eq!(usize::from(action.kind()), number, "{name}");
        assert_eq!(codec::encode(action)[0], action.kind(), "{name}");
    }
}

#[test]
fn entries_and_keys_have_the_same_numbers() {
    let sky = busy_sky();
    for (key, entry) in sky.ledger.state().entries() {
        assert_eq!(codec::encode(&key)[0], codec::encode(entry)[0], "{key:?}");
        let read: Entry = codec::decode(&codec::encode(entry), 1_000).expect("our own entry is read");
        assert_eq!(&read, entry);
    }
    assert!(Key::Due(Timestamp::from_millis(1), Due::Unbonding(account(1))) < Key::Supply);
}
