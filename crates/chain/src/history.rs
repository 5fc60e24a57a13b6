//! Lines of history: what blocks did to the accounts that this node keeps a history of.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ledger::{
    action::Action,
    block::Header,
    event::Event,
    transaction::{Checked, SignedTransaction, Transaction},
};
use opensky_ports::ledger::{HistoryEvent, HistoryItem};
use opensky_storage::HistoryRow;
use opensky_types::{
    AccountId, Micros, Timestamp,
    codec::{self, DecodeError},
};

/// Longest encoding of a line: a transaction.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// A line on disk.
#[derive(BorshSerialize, BorshDeserialize)]
struct Line {
    time: Timestamp,
    what: What,
}

#[derive(BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
enum What {
    Transaction(SignedTransaction) = 0,
    Event(Event) = 1,
}

/// The lines that a final block adds for each of `accounts`, and what `own` was paid and given in it.
pub(crate) fn lines(
    accounts: &[AccountId],
    own: &AccountId,
    header: &Header,
    transactions: &[Checked],
    events: &[Event],
) -> (Vec<HistoryRow>, Micros) {
    let (mut rows, mut index) = (Vec::new(), 0);
    let mut income = 0_u64;
    let (height, time) = (header.height, header.time);
    let mut add = |touched: &[AccountId], what: &dyn Fn() -> What| {
        for account in accounts.iter().filter(|account| touched.contains(account)) {
            let line = codec::encode(&Line { time, what: what() });
            rows.push(HistoryRow { account: *account.as_bytes(), height, index, line });
        }
        index += 1;
    };
    for Checked { signed, transaction, .. } in transactions {
        add(&touched_by(transaction), &|| What::Transaction(signed.clone()));
        if let Action::Transfer { to, amount, .. } = &transaction.action
            && to == own
        {
            income = income.saturating_add(amount.get());
        }
    }
    for event in events {
        add(&named_by(event), &|| What::Event(event.clone()));
        if let Event::Paid { provider, amount, .. } = event
            && provider == own
        {
            income = income.saturating_add(amount.get());
        }
    }
    (rows, Micros::new(income))
}

/// Reads a line back.
pub(crate) fn item(row: &HistoryRow) -> Result<HistoryItem, DecodeError> {
    let line: Line = codec::decode(&row.line, LINE_BYTES_MAX)?;
    let what = match line.what {
        What::Transaction(signed) => HistoryEvent::Transaction(Box::new(signed)),
        What::Event(event) => HistoryEvent::Event(event),
    };
    Ok(HistoryItem { height: row.height, time: line.time, index: row.index, what })
}

/// The account that acts, and the one that it names.
fn touched_by(transaction: &Transaction) -> Vec<AccountId> {
    let other = match &transaction.action {
        Action::Transfer { to, .. } | Action::Deposit { to, .. } => Some(*to),
        Action::LinkOwner { owner } => Some(*owner),
        Action::OpenEscrow(opening) => Some(opening.provider),
        Action::BeginCharge { provider, .. } => Some(*provider),
        Action::CompleteCharge { consumer, .. } => Some(*consumer),
        Action::ValidatorAdd(candidate) => Some(candidate.account),
        Action::ValidatorRemove { account } => Some(*account),
        _ => None,
    };
    std::iter::once(transaction.account).chain(other).collect()
}

fn named_by(event: &Event) -> Vec<AccountId> {
    match event {
        Event::Paid { consumer, provider, .. } | Event::Objected { consumer, provider, .. } => {
            vec![*consumer, *provider]
        }
        Event::Closed { consumer, .. } | Event::ChargeDropped { consumer, .. } => vec![*consumer],
        Event::ReputationMoved { account, .. }
        | Event::Unstaked { account, .. }
        | Event::Slashed { account, .. }
        | Event::Registered { account, .. } => vec![*account],
        Event::EpochEnds { .. } | Event::RulesSwitched { .. } => Vec::new(),
    }
}
