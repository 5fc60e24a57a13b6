//! Who votes on blocks, and how that changes.

use super::transactions::act;
use crate::{
    Gateway,
    problem::{Outcome, problem},
    views::ledger::{AccountEntries, head},
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
};
use opensky_api::{
    Code,
    transaction::TransactionView,
    validators::{DryRunQuery, ValidatorRequest, ValidatorView, Validators},
};
use opensky_ledger::{
    action::Action,
    entry::Entry,
    key::Key,
    validators::{Candidate, Roster},
};
use opensky_ports::LedgerEngine;
use opensky_types::{AccountId, NodeId};
use std::collections::BTreeMap;

pub(crate) async fn list(State(gateway): State<Gateway>) -> Outcome<Json<Validators>> {
    let own = gateway.handle.status().await?.node;
    Ok(Json(gateway.handle.ledger(move |engine| read(engine, own)).await))
}

pub(crate) async fn add(
    State(gateway): State<Gateway>,
    request: Result<Json<ValidatorRequest>, JsonRejection>,
) -> Outcome<Json<TransactionView>> {
    let Json(ValidatorRequest { node, dry_run }) = request?;
    if dry_run && gateway.handle.status().await?.node != node {
        let what = "the node has to sign too, so this can't be tried out without asking it";
        return Err(problem(Code::InvalidRequest, what));
    }
    let candidate = Candidate { account: AccountId::of_node(node), node, checkpoint_key: None };
    act(&gateway, Action::ValidatorAdd(candidate), dry_run).await
}

pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    node: Result<Path<NodeId>, PathRejection>,
    query: Result<Query<DryRunQuery>, QueryRejection>,
) -> Outcome<Json<TransactionView>> {
    let (Path(node), Query(query)) = (node?, query?);
    let account = gateway.handle.ledger(move |engine| account_of(engine, node)).await;
    act(&gateway, Action::ValidatorRemove { account }, query.dry_run).await
}

/// A candidate's account, which need not be that of its node.
fn account_of(engine: &dyn LedgerEngine, node: NodeId) -> AccountId {
    let roster = roster(engine);
    let candidate = roster.candidates().iter().find(|candidate| candidate.node == node);
    candidate.map_or_else(|| AccountId::of_node(node), |candidate| candidate.account)
}

fn roster(engine: &dyn LedgerEngine) -> Roster {
    match engine.read(&[Key::Roster]).entries.into_iter().next().flatten() {
        Some(Entry::Roster(roster)) => *roster,
        _ => Roster::default(),
    }
}

fn read(engine: &dyn LedgerEngine, own: NodeId) -> Validators {
    let roster = roster(engine);
    let all: BTreeMap<NodeId, AccountId> = roster
        .in_force()
        .iter()
        .chain(roster.candidates())
        .map(|candidate| (candidate.node, candidate.account))
        .collect();
    let keys: Vec<Key> = all.values().flat_map(|account| AccountEntries::keys(*account)).collect();
    let reading = engine.read(&keys);
    let has = |set: &[Candidate], node| set.iter().any(|candidate| candidate.node == node);
    let entries = reading.entries.chunks(AccountEntries::KEYS);
    let validators = all.iter().zip(entries).map(|((node, account), entries)| {
        let entries = AccountEntries::of(entries);
        ValidatorView {
            node: *node,
            account: *account,
            is_own: *node == own,
            votes_now: has(roster.in_force(), *node),
            is_candidate: has(roster.candidates(), *node),
            staked_micros: entries.bonded(),
            reputation: entries.reputation(reading.head.time),
        }
    });
    let params = engine.genesis().params;
    Validators {
        head: head(&reading.head),
        epoch_blocks: params.epoch_blocks,
        authority: params.authority,
        validators: validators.collect(),
    }
}
