//! Wallets: balances, histories, automatic transfers.

use crate::{
    Gateway,
    auth::{Caller, uncounted},
    problem::{Outcome, problem},
    views::ledger::{AccountEntries, head},
};
use axum::{
    Extension, Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
};
use opensky_api::{
    Code,
    happening::HappeningView,
    history::{History, HistoryLine, HistoryQuery, Place},
    wallet::{
        AUTO_TRANSFERS_MAX, AutoTransferView, AutoTransfers, MoneyView, Payee, Wallet, WalletQuery, WhenView,
    },
};
use opensky_ledger::{action::Action, entry::Entry, escrow::id_of, key::Key};
use opensky_node::{AutoTransfer, When};
use opensky_ports::{
    LedgerEngine,
    ledger::{FollowError, HistoryEvent, HistoryItem},
};
use opensky_types::{AccountId, AgreementId, Micros, Timestamp};

/// Accounts of one wallet that are shown.
const OWNED_MAX: usize = 1_000;
/// Lines of a page, where the query does not say.
const PAGE_DEFAULT: u32 = 50;
/// Most lines of a page.
const PAGE_MAX: u32 = 1_000;
/// Lines of a history that are searched for open escrows.
const SEARCHED_MAX: usize = 10_000;
/// Shortest interval of an automatic transfer, in milliseconds.
const INTERVAL_MS_MIN: u64 = 60_000;

pub(crate) async fn wallet(
    State(gateway): State<Gateway>,
    query: Result<Query<WalletQuery>, QueryRejection>,
) -> Outcome<Json<Wallet>> {
    let Query(query) = query?;
    let own = gateway.handle.account();
    let account = query.account.map_or(own, |payee| payee.0);
    let wallet = gateway.handle.ledger(move |engine| read(engine, account, own)).await?;
    // A node may ask for its own account before that has begun.
    if account != own && wallet.accounts.len() == 1 && !wallet.accounts[0].exists {
        return Err(problem(
            Code::AccountNotFound,
            format!("account {account} does not exist; it begins with its first income"),
        ));
    }
    Ok(Json(wallet))
}

/// All of one state: first is found out which accounts and escrows there are, then all are read at once.
fn read(engine: &dyn LedgerEngine, account: AccountId, own: AccountId) -> Result<Wallet, FollowError> {
    let mut accounts = engine.owned_by(&account, OWNED_MAX);
    accounts.retain(|owned| *owned != account);
    accounts.insert(0, account);
    let escrows: Vec<Option<Vec<AgreementId>>> =
        accounts.iter().map(|account| opened(engine, account)).collect::<Result<_, _>>()?;
    let mut keys: Vec<Key> = accounts.iter().flat_map(|account| AccountEntries::keys(*account)).collect();
    keys.extend(escrows.iter().flatten().flatten().map(|agreement| Key::Escrow(*agreement)));
    let reading = engine.read(&keys);
    let (plain, mut held) = reading.entries.split_at(accounts.len() * AccountEntries::KEYS);
    let mut views = Vec::with_capacity(accounts.len());
    for ((account, agreements), entries) in
        accounts.iter().zip(&escrows).zip(plain.chunks(AccountEntries::KEYS))
    {
        let (these, rest) = held.split_at(agreements.as_ref().map_or(0, Vec::len));
        held = rest;
        let escrow = agreements.as_ref().map(|_| sum_held(these));
        let next_number = engine.next_nonce(account);
        let entries = AccountEntries::of(entries);
        views.push(entries.view(*account, *account == own, escrow, next_number, reading.head.time));
    }
    let total = views.iter().map(|view| view.money).reduce(|one, other| one.plus(&other));
    Ok(Wallet {
        account,
        head: head(&reading.head),
        economy_free: !engine.genesis().params.economy,
        accounts: views,
        total: total.unwrap_or_else(MoneyView::default),
    })
}

/// The escrows that an account opened, newest first, as far back as its history is kept and searched;
/// `None` where none is kept.
fn opened(engine: &dyn LedgerEngine, account: &AccountId) -> Result<Option<Vec<AgreementId>>, FollowError> {
    let lines = engine.history(account, None, SEARCHED_MAX)?;
    let opened = lines.iter().filter_map(|line| match &line.what {
        HistoryEvent::Transaction(signed) => {
            let transaction = signed.as_ref().clone().unchecked().ok()?.transaction;
            match transaction.action {
                Action::OpenEscrow(opening) if transaction.account == *account => {
                    Some(id_of(&opening.terms, account, transaction.nonce))
                }
                _ => None,
            }
        }
        HistoryEvent::Event(_) => None,
    });
    Ok((!lines.is_empty()).then(|| opened.collect()))
}

fn sum_held(escrows: &[Option<Entry>]) -> Micros {
    let held = escrows.iter().flatten().map(|entry| match entry {
        Entry::Escrow(escrow) => escrow.held.total().get(),
        _ => 0,
    });
    Micros::new(held.fold(0, u64::saturating_add))
}

pub(crate) async fn history(
    State(gateway): State<Gateway>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Outcome<Json<History>> {
    let Query(query) = query?;
    let account = query.account.map_or(gateway.handle.account(), |payee| payee.0);
    let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX) as usize;
    let before = query.before.map(|place| (place.height, place.index));
    // One more than asked for tells whether there is a next page.
    let mut items = gateway.handle.ledger(move |engine| engine.history(&account, before, limit + 1)).await?;
    let is_last = items.len() <= limit;
    items.truncate(limit);
    let next = items.last().filter(|_| !is_last).map(place);
    let lines = items.into_iter().filter_map(|item| line(account, item)).collect();
    Ok(Json(History { account, lines, next }))
}

const fn place(item: &HistoryItem) -> Place {
    Place { height: item.height, index: item.index }
}

fn line(account: AccountId, item: HistoryItem) -> Option<HistoryLine> {
    let (place, at) = (place(&item), item.time);
    Some(match item.what {
        HistoryEvent::Transaction(signed) => {
            // Checked before it came into a block.
            HistoryLine::of_transaction(account, place, at, &signed.unchecked().ok()?)
        }
        HistoryEvent::Event(event) => {
            HistoryLine::of_happening(account, place, at, HappeningView::from(&event))
        }
    })
}

pub(crate) async fn auto_transfers(State(gateway): State<Gateway>) -> Outcome<Json<AutoTransfers>> {
    let transfers = gateway.handle.auto_transfers().await?;
    Ok(Json(AutoTransfers { transfers: transfers.iter().map(view).collect() }))
}

pub(crate) async fn set_auto_transfers(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    request: Result<Json<AutoTransfers>, JsonRejection>,
) -> Outcome<Json<AutoTransfers>> {
    let Json(request) = request?;
    uncounted(&caller, "set automatic transfers")?;
    if request.transfers.len() > AUTO_TRANSFERS_MAX {
        let what = format!("{} automatic transfers; {AUTO_TRANSFERS_MAX} at most", request.transfers.len());
        return Err(problem(Code::InvalidRequest, what));
    }
    let now = super::node::now();
    let own = gateway.handle.account();
    let transfers = request.transfers.iter().map(|transfer| checked(transfer, own, now));
    gateway.handle.set_auto_transfers(transfers.collect::<Result<_, _>>()?).await?;
    auto_transfers(State(gateway)).await
}

fn checked(transfer: &AutoTransferView, own: AccountId, now: Timestamp) -> Outcome<AutoTransfer> {
    let bad = |what: &str| Err(problem(Code::InvalidRequest, what));
    if transfer.to.0 == own {
        return bad("an automatic transfer to this node's own account");
    }
    let when = match transfer.when {
        WhenView::Received { percent } if !(1..=100).contains(&percent) => {
            return bad("percent are 1 to 100");
        }
        WhenView::Every { interval_ms, .. } if interval_ms < INTERVAL_MS_MIN => {
            return bad("the shortest interval is one minute");
        }
        WhenView::Every { amount_micros: Micros::ZERO, .. } => return bad("an amount of nothing"),
        WhenView::Received { percent } => When::Received { percent },
        WhenView::Above { threshold_micros } => When::Above { threshold: threshold_micros },
        WhenView::Every { interval_ms, amount_micros, last_at } => {
            When::Every { interval_ms, amount: amount_micros, last_at: last_at.unwrap_or(now) }
        }
    };
    Ok(AutoTransfer { to: transfer.to.0, when, keep: transfer.keep_micros })
}

fn view(transfer: &AutoTransfer) -> AutoTransferView {
    let when = match transfer.when {
        When::Received { percent } => WhenView::Received { percent },
        When::Above { threshold } => WhenView::Above { threshold_micros: threshold },
        When::Every { interval_ms, amount, last_at } => {
            WhenView::Every { interval_ms, amount_micros: amount, last_at: Some(last_at) }
        }
    };
    AutoTransferView { to: Payee(transfer.to), when, keep_micros: transfer.keep }
}
