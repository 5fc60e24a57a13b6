//! Transactions of any kind, mostly such that they could apply.

use super::sky::{VALIDATORS, actor};
use crate::{
    choices::Choices,
    people::{KEYS, account, approve, node, public},
};
use opensky_ledger::{
    account::{KeySet, Session},
    action::Action,
    apply::RULES,
    entry::Entry,
    escrow::{ClaimItem, Opening, PayItem, VoucherStatement},
    evm::Address,
    genesis::Genesis,
    key::Key,
    memo::Memo,
    puzzle::Solution,
    registry::{Fingerprint, Registration},
    reputation::{AuditReport, OnlineReport, Verdict},
    rules::RulesVersion,
    transaction::{SignedTransaction, Transaction},
    validators::Candidate,
    view::View,
};
use opensky_types::{AccountId, AgreementId, Hash, Micros, PublicKey, Timestamp, codec};

/// Longest action that is read from the choices as it stands.
const RAW_BYTES_MAX: usize = 255;

/// Where a transaction is to apply.
pub struct Place<'a> {
    pub genesis: &'a Genesis,
    pub view: &'a View<'a>,
    pub time: Timestamp,
    /// The account's number.
    pub nonce: u64,
}

/// A transaction of `number`, signed by it and others.
pub fn transaction(choices: &mut Choices<'_>, number: u8, place: &Place<'_>) -> SignedTransaction {
    let action = action(choices, number, place);
    let signers = signers(choices, number, &action);
    let transaction = Transaction {
        sky: place.genesis.sky,
        rules: RULES,
        account: account(number),
        nonce: place.nonce.wrapping_add(choices.pick(&[0, 0, 0, 0, 0, 0, 0, 1])),
        valid_until: place.time.plus_ms(60_000),
        action,
    };
    transaction.signed(signers.into_iter().map(|signer| approve(signer, &transaction)).collect())
}

/// Who signs: the account's first key, those that the action needs, and whoever else.
fn signers(choices: &mut Choices<'_>, number: u8, action: &Action) -> Vec<u8> {
    let mut signers = vec![number];
    match action {
        Action::RotateKeys { keys } => {
            signers.extend((0..KEYS).filter(|one| keys.keys.contains(&public(*one))))
        }
        Action::LinkOwner { owner } => signers.extend((0..KEYS).filter(|one| account(*one) == *owner)),
        Action::ValidatorAdd(candidate) => {
            signers.extend((0..KEYS).filter(|one| public(*one) == PublicKey::of_node(candidate.node)));
        }
        Action::Deposit { .. }
        | Action::ScheduleRules { .. }
        | Action::CallOffRules
        | Action::ReportOnline(_)
        | Action::AuditReport(_) => signers.extend(VALIDATORS),
        _ => {}
    }
    match choices.byte() % 8 {
        0 => signers.push(actor(choices)),
        1 => signers = vec![actor(choices)],
        2 => signers.push(choices.byte() % KEYS),
        _ => {}
    }
    signers.sort_unstable();
    signers.dedup();
    signers
}

fn action(choices: &mut Choices<'_>, number: u8, place: &Place<'_>) -> Action {
    match choices.byte() % 28 {
        0..=6 => action_of_keys(choices, place),
        7..=18 => action_with_money(choices, number, place),
        19..=26 => action_of_members(choices, number, place),
        _ => {
            let len = usize::from(choices.byte()).min(RAW_BYTES_MAX);
            codec::decode(choices.bytes(len), RAW_BYTES_MAX).unwrap_or(Action::UnlinkOwner)
        }
    }
}

fn action_of_keys(choices: &mut Choices<'_>, place: &Place<'_>) -> Action {
    match choices.byte() % 6 {
        0 => {
            let count = choices.byte() % 4;
            let mut keys: Vec<PublicKey> = (0..count).map(|_| public(actor(choices))).collect();
            keys.sort_unstable();
            keys.dedup();
            Action::RotateKeys { keys: KeySet { keys, threshold: choices.byte() % 4 } }
        }
        1 | 2 => {
            let scope = choices.pick(&[0b1, 0b1_0000_0000, 0x1f_ffc1, u64::MAX, 0]);
            let expires_at = place.time.plus_ms(choices.pick(&[100_000, 0, u64::MAX]));
            let session = Session { scope, left: amount(choices), expires_at };
            Action::Delegate { key: public(choices.byte() % KEYS), session }
        }
        3 => Action::RevokeSession { key: public(choices.byte() % KEYS) },
        4 => Action::LinkOwner { owner: who(choices) },
        _ => Action::UnlinkOwner,
    }
}

fn action_with_money(choices: &mut Choices<'_>, number: u8, place: &Place<'_>) -> Action {
    match choices.byte() % 14 {
        0 | 1 => Action::Transfer { to: who(choices), amount: amount(choices), memo: Memo::default() },
        2 | 3 => Action::OpenEscrow(Opening {
            agreement: agreement(choices),
            provider: who(choices),
            amount: amount(choices),
            expires_at: place.time.plus_ms(choices.pick(&[60_000, 1, 0, u64::MAX])),
            claim_window_ms: choices.pick(&[60_000, 0, 604_800_000]),
        }),
        4 => Action::TopUp { agreement: agreement(choices), amount: amount(choices) },
        5 => {
            let count = choices.byte() % 4;
            Action::Pay { items: (0..count).map(|_| owed(choices)).collect() }
        }
        6 | 7 => {
            let count = choices.byte() % 4;
            Action::Claim { items: (0..count).map(|_| claim(choices, place)).collect() }
        }
        8 => Action::Object {
            agreement: agreement(choices),
            sequence: u64::from(choices.byte() % 4),
            owed: amount(choices),
        },
        9 => Action::CloseEscrow { agreement: agreement(choices) },
        10 => Action::BeginCharge { request: hash(choices), provider: who(choices), limit: amount(choices) },
        11 => {
            let open = place.view.first_in(
                Key::Charge(AccountId::from_bytes([0; 32]), Hash::from_bytes([0; 32])),
                Key::Charge(AccountId::from_bytes([0xff; 32]), Hash::from_bytes([0xff; 32])),
            );
            match open {
                Some(Key::Charge(consumer, request)) if choices.flag() => {
                    Action::CompleteCharge { consumer, request, cost: amount(choices) }
                }
                _ => Action::CompleteCharge {
                    consumer: who(choices),
                    request: hash(choices),
                    cost: amount(choices),
                },
            }
        }
        12 => Action::Withdraw {
            chain: u64::from(choices.byte() % 2),
            address: Address::from_bytes([choices.byte() % 2; 20]),
            amount: amount(choices),
        },
        _ => Action::Deposit {
            chain: u64::from(choices.byte() % 2),
            id: hash(choices),
            to: if choices.flag() { account(number) } else { who(choices) },
            amount: amount(choices),
        },
    }
}

fn action_of_members(choices: &mut Choices<'_>, number: u8, place: &Place<'_>) -> Action {
    match choices.byte() % 10 {
        0 => Action::Stake { amount: amount(choices) },
        1 => Action::Unstake { amount: amount(choices) },
        2 | 3 => {
            let parts: [u8; 5] = std::array::from_fn(|_| choices.byte() % 4);
            let parts = parts.map(|part| (part > 0).then(|| Hash::of(&[part])));
            match Fingerprint::new(parts) {
                Ok(fingerprint) => Action::RegisterMachine(Registration {
                    fingerprint,
                    is_virtual: choices.flag(),
                    solution: Solution::default(),
                }),
                Err(_) => Action::UnlinkOwner,
            }
        }
        4 => Action::ReportOnline(OnlineReport {
            day: place.time.as_millis() / 86_400_000 + u64::from(choices.pick(&[0, 0, 0, 1_u8])),
            witnesses: witnesses(choices),
        }),
        5 => Action::AuditReport(AuditReport {
            agreement: agreement(choices),
            receipt: hash(choices),
            verdict: choices.pick(&[Verdict::Passed, Verdict::Failed, Verdict::MadeUp]),
            witnesses: witnesses(choices),
        }),
        6 => Action::ValidatorAdd(Candidate {
            account: if choices.flag() { who(choices) } else { account(number) },
            node: node(choices.byte()).id(),
            checkpoint_key: choices.flag().then(|| Address::from_bytes([choices.byte() % 3; 20])),
        }),
        7 => Action::ValidatorRemove { account: who(choices) },
        8 => Action::ScheduleRules {
            version: RulesVersion::new(u32::from(choices.byte() % 4)),
            height: choices.pick(&[5, 10, 2_000, u64::MAX]),
        },
        _ => Action::CallOffRules,
    }
}

fn who(choices: &mut Choices<'_>) -> AccountId {
    account(actor(choices))
}

fn agreement(choices: &mut Choices<'_>) -> AgreementId {
    AgreementId::from_hash(Hash::from_bytes([choices.byte() % 4; 32]))
}

fn hash(choices: &mut Choices<'_>) -> Hash {
    Hash::from_bytes([choices.byte() % 4; 32])
}

fn amount(choices: &mut Choices<'_>) -> Micros {
    Micros::new(match choices.byte() % 16 {
        0 => 0,
        1 => 1,
        2 => 999,
        3 => 1_000,
        4..=8 => u64::from(choices.byte()) * 1_000,
        9..=11 => u64::from(choices.byte()) * 10_000,
        12 => 1_000_000,
        13 => u64::MAX >> (choices.byte() % 64),
        _ => choices.number(),
    })
}

fn owed(choices: &mut Choices<'_>) -> PayItem {
    PayItem { agreement: agreement(choices), cumulative: amount(choices), receipts: hash(choices) }
}

/// A claim, with the consumer's voucher or without.
fn claim(choices: &mut Choices<'_>, place: &Place<'_>) -> ClaimItem {
    let owed = owed(choices);
    let mut voucher = Vec::new();
    if let (Some(Entry::Escrow(escrow)), true) =
        (place.view.get(&Key::Escrow(owed.agreement)), choices.flag())
    {
        let statement = VoucherStatement::new(place.genesis.sky, escrow, &owed);
        let consumer = (0..KEYS).find(|number| account(*number) == escrow.consumer);
        let signer = if choices.byte().is_multiple_of(4) { actor(choices) } else { consumer.unwrap_or(0) };
        voucher.push(approve(signer, &statement));
    }
    let sequence = u64::from(choices.byte() % 4);
    ClaimItem { owed, count: 1, sequence, is_last: choices.flag(), voucher }
}

/// The validators, or others, as many as they are.
fn witnesses(choices: &mut Choices<'_>) -> Vec<AccountId> {
    let mut witnesses: Vec<AccountId> = match choices.byte() % 4 {
        0 => Vec::new(),
        1 | 2 => VALIDATORS.map(account).into(),
        _ => vec![who(choices), who(choices), who(choices)],
    };
    witnesses.sort_unstable();
    witnesses.dedup();
    witnesses
}
