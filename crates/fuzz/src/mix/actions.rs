//! Transactions of any kind, mostly such that they could apply.

use super::sky::{VALIDATORS, actor};
use crate::{
    choices::Choices,
    people::{FIRST_EVM, KEYS, account, approve, approve_in_vain, node, number_of, public},
};
use opensky_ledger::{
    account::{KeySet, Session},
    action::Action,
    apply::RULES,
    entry::Entry,
    escrow::{ClaimItem, Escrow, Opening, PayItem, VoucherStatement},
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
    /// Whether signatures are made. Vouchers are signed in any case, which the ledger checks, but for those
    /// of wallets, which would take most of the time.
    pub is_signed: bool,
}

/// A transaction, signed by its account and others.
pub fn transaction(choices: &mut Choices<'_>, place: &Place<'_>) -> SignedTransaction {
    let (number, action) = action(choices, place);
    let signers = signers(choices, number, &action);
    let nonce = place.view.find_account(&account(number)).map_or(0, |account| account.nonce);
    let transaction = Transaction {
        sky: place.genesis.sky,
        rules: RULES,
        account: account(number),
        nonce: nonce.wrapping_add(u64::from(choices.byte() == u8::MAX)),
        valid_until: place.time.plus_ms(60_000),
        action,
    };
    let sign = |signer| if place.is_signed { approve(signer, &transaction) } else { approve_in_vain(signer) };
    transaction.signed(signers.into_iter().map(sign).collect())
}

/// Who signs: the account's first key, those that the action needs, and sometimes others.
fn signers(choices: &mut Choices<'_>, number: u8, action: &Action) -> Vec<u8> {
    let mut signers = vec![number];
    match action {
        Action::RotateKeys { keys } => {
            signers.extend((0..KEYS).filter(|one| keys.keys.contains(&public(*one))))
        }
        Action::LinkOwner { owner } => signers.extend(number_of(owner)),
        Action::ValidatorAdd(candidate) => {
            let wallet = candidate.checkpoint_key.map(|key| PublicKey::Secp256k1(*key.as_bytes()));
            let needed = [Some(PublicKey::of_node(candidate.node)), wallet];
            signers.extend((0..KEYS).filter(|one| needed.contains(&Some(public(*one)))));
        }
        Action::SetCheckpointKey { key } => {
            let key = PublicKey::Secp256k1(*key.as_bytes());
            signers.extend((0..KEYS).filter(|one| public(*one) == key));
        }
        Action::ReportOnline(report) => signers.extend(report.witnesses.iter().filter_map(number_of)),
        Action::AuditReport(report) => signers.extend(report.witnesses.iter().filter_map(number_of)),
        Action::Deposit { .. } | Action::ScheduleRules { .. } | Action::CallOffRules => {
            signers.extend(VALIDATORS);
        }
        _ => {}
    }
    match choices.byte() {
        0..=15 => signers.push(actor(choices)),
        16..=31 => signers = vec![actor(choices)],
        32..=39 => signers = (0..choices.byte() % KEYS).collect(),
        _ => {}
    }
    if signers.is_empty() {
        signers.push(number);
    }
    signers.sort_unstable();
    signers.dedup();
    signers
}

/// An action, and who does it.
fn action(choices: &mut Choices<'_>, place: &Place<'_>) -> (u8, Action) {
    let number = actor(choices);
    let action = match choices.byte() % 24 {
        0..=3 => action_of_keys(choices, place),
        4..=7 => action_with_money(choices, number, place),
        8..=14 => return action_of_escrow(choices, number, place),
        15..=17 => return action_of_charge(choices, number, place),
        18..=22 => action_of_members(choices, number, place),
        _ => {
            let len = usize::from(choices.byte()).min(RAW_BYTES_MAX);
            codec::decode(choices.bytes(len), RAW_BYTES_MAX).unwrap_or(Action::UnlinkOwner)
        }
    };
    (number, action)
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
    match choices.byte() % 6 {
        0 | 1 => Action::Transfer { to: who(choices), amount: amount(choices), memo: Memo::default() },
        2 => Action::Withdraw {
            chain: u64::from(choices.byte() % 2),
            address: Address::from_bytes([choices.byte() % 2; 20]),
            amount: amount(choices),
        },
        3 => Action::Deposit {
            chain: u64::from(choices.byte() % 2),
            id: hash(choices),
            to: if choices.flag() { account(number) } else { who(choices) },
            amount: amount(choices),
        },
        4 => Action::Stake { amount: amount(choices) },
        _ => {
            let all = match place.view.get(&Key::Stake(account(number))) {
                Some(Entry::Stake(stake)) => stake.bonded(),
                _ => Micros::ZERO,
            };
            Action::Unstake { amount: if choices.flag() { all } else { amount(choices) } }
        }
    }
}

/// Mostly of the party that may do it.
fn action_of_escrow(choices: &mut Choices<'_>, number: u8, place: &Place<'_>) -> (u8, Action) {
    let agreement = agreement(choices, place);
    let open = match place.view.get(&Key::Escrow(agreement)) {
        Some(Entry::Escrow(escrow)) => Some(**escrow),
        _ => None,
    };
    let Some(escrow) = open.filter(|_| choices.byte() < 240) else {
        let opening = Opening {
            terms: hash(choices),
            provider: who(choices),
            voucher_key: public(number),
            amount: amount(choices),
            expires_at: place.time.plus_ms(choices.pick(&[60_000, 1, 600_000, 0, u64::MAX])),
            claim_window_ms: choices.pick(&[60_000, 60_000, 604_800_000, 0]),
        };
        return (number, Action::OpenEscrow(opening));
    };
    let consumer = number_of(&escrow.consumer).unwrap_or(number);
    let provider = number_of(&escrow.provider).unwrap_or(number);
    match choices.byte() % 10 {
        0 | 1 => (consumer, Action::TopUp { agreement, amount: amount(choices) }),
        2 | 3 => {
            let count = choices.byte() % 3;
            (consumer, Action::Pay { items: (0..=count).map(|_| owed(choices, agreement, place)).collect() })
        }
        4..=6 => {
            let count = choices.byte() % 3;
            let items = (0..=count).map(|_| claim(choices, agreement, &escrow, place)).collect();
            (provider, Action::Claim { items })
        }
        7 | 8 => (
            consumer,
            Action::Object {
                agreement,
                sequence: escrow.sequence.wrapping_add(u64::from(choices.byte() == u8::MAX)),
                owed: amount(choices),
            },
        ),
        _ => (provider, Action::CloseEscrow { agreement }),
    }
}

/// Mostly of the provider of a request that has begun.
fn action_of_charge(choices: &mut Choices<'_>, number: u8, place: &Place<'_>) -> (u8, Action) {
    let [first, last] =
        [[0; 32], [0xff; 32]].map(|bytes| Key::Charge(AccountId::from_bytes(bytes), Hash::from_bytes(bytes)));
    let open = place.view.first_in(first, last).filter(|_| choices.byte() < 160);
    if let Some(key @ Key::Charge(consumer, request)) = open
        && let Some(Entry::Charge(charge)) = place.view.get(&key)
    {
        let provider = number_of(&charge.provider).unwrap_or(number);
        let cost = if choices.flag() { charge.limit } else { amount(choices) };
        return (provider, Action::CompleteCharge { consumer, request, cost });
    }
    if choices.byte() > 240 {
        let (consumer, request) = (who(choices), hash(choices));
        return (number, Action::CompleteCharge { consumer, request, cost: amount(choices) });
    }
    let limit = if choices.flag() { place.genesis.params.charge_max } else { amount(choices) };
    (number, Action::BeginCharge { request: hash(choices), provider: who(choices), limit })
}

fn action_of_members(choices: &mut Choices<'_>, number: u8, place: &Place<'_>) -> Action {
    match choices.byte() % 10 {
        0..=2 => {
            let parts: [u8; 5] = std::array::from_fn(|_| choices.byte() % 6);
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
        3 => Action::ReportOnline(OnlineReport {
            day: place.time.as_millis() / 86_400_000 + u64::from(choices.byte() == u8::MAX),
            witnesses: witnesses(choices),
        }),
        4 => Action::AuditReport(AuditReport {
            agreement: agreement(choices, place),
            receipt: hash(choices),
            verdict: choices.pick(&[Verdict::Passed, Verdict::Failed, Verdict::MadeUp]),
            witnesses: witnesses(choices),
        }),
        5 => Action::ValidatorAdd(Candidate {
            account: if choices.flag() { who(choices) } else { account(number) },
            node: node(choices.byte()).id(),
            checkpoint_key: choices.flag().then(|| wallet(choices)),
        }),
        6 => Action::ValidatorRemove { account: if choices.flag() { who(choices) } else { account(number) } },
        7 => Action::ScheduleRules {
            version: RulesVersion::new(u32::from(choices.byte() % 4)),
            height: choices.pick(&[5, 10, 2_000, u64::MAX]),
        },
        8 => Action::SetCheckpointKey { key: wallet(choices) },
        _ => Action::CallOffRules,
    }
}

/// The address of one of the Ethereum keys, or of nobody.
fn wallet(choices: &mut Choices<'_>) -> Address {
    match public(FIRST_EVM + choices.byte() % (KEYS - FIRST_EVM)) {
        PublicKey::Secp256k1(address) if choices.byte() < 240 => Address::from_bytes(address),
        _ => Address::from_bytes([0; 20]),
    }
}

fn who(choices: &mut Choices<'_>) -> AccountId {
    account(actor(choices))
}

/// Mostly one that has an escrow.
fn agreement(choices: &mut Choices<'_>, place: &Place<'_>) -> AgreementId {
    let named = |byte| AgreementId::from_hash(Hash::from_bytes([byte; 32]));
    let from = named(choices.byte());
    match place.view.first_in(Key::Escrow(from), Key::Escrow(named(0xff))) {
        Some(Key::Escrow(agreement)) => agreement,
        _ => from,
    }
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

fn owed(choices: &mut Choices<'_>, usual: AgreementId, place: &Place<'_>) -> PayItem {
    let agreement = if choices.byte() < 240 { usual } else { agreement(choices, place) };
    PayItem { agreement, cumulative: amount(choices), receipts: hash(choices) }
}

/// A claim, with the consumer's voucher or without.
fn claim(choices: &mut Choices<'_>, agreement: AgreementId, escrow: &Escrow, place: &Place<'_>) -> ClaimItem {
    let owed = owed(choices, agreement, place);
    let sequence = escrow.sequence.wrapping_add(u64::from(choices.byte() % 3));
    let is_last = choices.flag();
    let mut voucher = None;
    if choices.flag() {
        let consumer = number_of(&escrow.consumer).unwrap_or_default();
        let signer = if choices.byte() < 200 { consumer } else { actor(choices) };
        if place.is_signed || signer < FIRST_EVM {
            let statement = VoucherStatement::new(place.genesis.sky, escrow, &owed);
            voucher = Some(approve(signer, &statement));
        }
    }
    ClaimItem { owed, count: 1, sequence, is_last, voucher }
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
