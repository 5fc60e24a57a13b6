//! Acting on the ledger with this node's account.

use crate::{
    Gateway,
    auth::{Caller, Door, uncounted},
    problem::{Outcome, problem},
};
use axum::{
    Extension, Json,
    extract::{
        FromRequestParts, Path, Query, State,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
};
use opensky_api::{
    Code,
    happening::HappeningView,
    transaction::{SubmitRequest, TransactionQuery, TransactionView, WAIT_MS_MAX, WhereView},
    wallet::{OwnerRequest, StakeRequest, TransferRequest},
};
use opensky_ledger::{action::Action, event::Event, memo::Memo, transaction::SignedTransaction};
use opensky_node::TransactError;
use opensky_ports::ledger::Whereabouts;
use opensky_types::{Hash, Micros};
use std::time::Duration;

pub(crate) async fn transfer(
    State(gateway): State<Gateway>,
    purse: Purse,
    request: Result<Json<TransferRequest>, JsonRejection>,
) -> Outcome<Json<TransactionView>> {
    let Json(request) = request?;
    let memo = Memo::new(&request.memo).map_err(|error| problem(Code::InvalidRequest, error))?;
    let amount = something(request.amount_micros)?;
    let action = Action::Transfer { to: request.to.0, amount, memo };
    purse.act(&gateway, amount, action, request.dry_run).await
}

pub(crate) async fn stake(
    State(gateway): State<Gateway>,
    purse: Purse,
    request: Result<Json<StakeRequest>, JsonRejection>,
) -> Outcome<Json<TransactionView>> {
    let Json(request) = request?;
    let amount = something(request.amount_micros)?;
    purse.act(&gateway, amount, Action::Stake { amount }, request.dry_run).await
}

pub(crate) async fn unstake(
    State(gateway): State<Gateway>,
    request: Result<Json<StakeRequest>, JsonRejection>,
) -> Outcome<Json<TransactionView>> {
    let Json(request) = request?;
    let amount = something(request.amount_micros)?;
    act(&gateway, Action::Unstake { amount }, request.dry_run).await
}

pub(crate) async fn owner(
    State(gateway): State<Gateway>,
    purse: Purse,
    request: Result<Json<OwnerRequest>, JsonRejection>,
) -> Outcome<Json<TransactionView>> {
    let Json(request) = request?;
    uncounted(&purse.caller, "name who owns the account")?;
    let action = match request.owner {
        Some(owner) => Action::LinkOwner { owner: owner.0 },
        None => Action::UnlinkOwner,
    };
    act(&gateway, action, request.dry_run).await
}

pub(crate) async fn submit(
    State(gateway): State<Gateway>,
    request: Result<Json<SubmitRequest>, JsonRejection>,
) -> Outcome<Json<TransactionView>> {
    let Json(request) = request?;
    let bytes = hex::decode(&request.transaction)
        .map_err(|_| problem(Code::InvalidRequest, "the transaction is not hex"))?;
    let checked = SignedTransaction::decode(&bytes)
        .and_then(SignedTransaction::check)
        .map_err(|error| problem(Code::InvalidRequest, format!("the transaction is malformed: {error}")))?;
    let sentence = checked.transaction.action.describe();
    if request.dry_run {
        let tried = gateway.handle.ledger(move |engine| engine.try_out(checked.signed)).await;
        return Ok(Json(tried_out(sentence, &tried.map_err(TransactError::from)?)));
    }
    let id = gateway.handle.submit_transaction(checked.signed).await?;
    Ok(Json(TransactionView { sentence, ..view(id, Whereabouts::Waiting) }))
}

pub(crate) async fn find(
    State(gateway): State<Gateway>,
    id: Result<Path<Hash>, PathRejection>,
    query: Result<Query<TransactionQuery>, QueryRejection>,
) -> Outcome<Json<TransactionView>> {
    let (Path(id), Query(query)) = (id?, query?);
    let patience = Duration::from_millis(query.wait_ms.unwrap_or(0).min(WAIT_MS_MAX));
    Ok(Json(view(id, gateway.handle.settled(id, patience).await)))
}

/// Whose money it is to be, and how much of it they may spend.
#[derive(FromRequestParts)]
pub(crate) struct Purse {
    #[from_request(via(Extension))]
    pub(super) door: Door,
    #[from_request(via(Extension))]
    pub(super) caller: Caller,
}

impl Purse {
    /// Does it, counted as spent, or says what would come of it, which costs nothing.
    async fn act(
        &self,
        gateway: &Gateway,
        amount: Micros,
        action: Action,
        dry_run: bool,
    ) -> Outcome<Json<TransactionView>> {
        let amount = if dry_run { Micros::ZERO } else { amount };
        let doing = act(gateway, action, dry_run);
        self.door.spend(&gateway.handle, &self.caller, amount, doing).await
    }
}

/// Does it, or says what would come of it.
pub(super) async fn act(gateway: &Gateway, action: Action, dry_run: bool) -> Outcome<Json<TransactionView>> {
    let sentence = action.describe();
    if dry_run {
        return Ok(Json(tried_out(sentence, &gateway.handle.try_transact(action).await?)));
    }
    let id = gateway.handle.transact(action).await?;
    Ok(Json(TransactionView { sentence, ..view(id, Whereabouts::Waiting) }))
}

fn tried_out(sentence: String, events: &[Event]) -> TransactionView {
    let happenings = events.iter().map(HappeningView::from).collect();
    TransactionView { id: None, standing: WhereView::DryRun, height: None, at: None, sentence, happenings }
}

fn something(amount: Micros) -> Outcome<Micros> {
    if amount == Micros::ZERO {
        return Err(problem(Code::InvalidRequest, "an amount of nothing"));
    }
    Ok(amount)
}

fn view(id: Hash, whereabouts: Whereabouts) -> TransactionView {
    let (standing, height, at) = match whereabouts {
        Whereabouts::Waiting => (WhereView::Waiting, None, None),
        Whereabouts::Final { height, time } => (WhereView::Final, Some(height), Some(time)),
        Whereabouts::Unknown => (WhereView::Unknown, None, None),
    };
    TransactionView { id: Some(id), standing, height, at, sentence: String::new(), happenings: Vec::new() }
}
