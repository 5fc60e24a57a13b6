//! The ledger as a whole: where it stands, its blocks, proofs of its state.

use crate::{
    Gateway,
    problem::{Answer, Outcome, problem},
    views,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::IntoResponse,
};
use opensky_api::{
    Code,
    checkpoint::{CheckpointQuery, CheckpointView},
    ledger::{Blocks, BlocksQuery, LedgerView, PROOF_CONTENT_TYPE, ParamsView, ProofQuery, RulesSwitchView},
};
use opensky_ledger::{entry::Entry, key::Key, proof::KEY_BYTES_MAX, rules::RulesVersion};
use opensky_ports::{LedgerEngine, ledger::FollowError};
use opensky_types::codec;
use std::time::Duration;
use tokio::{sync::broadcast::error::RecvError, time::Instant};

/// Blocks of one answer, in bytes; one block alone may be more.
const BLOCKS_BYTES_MAX: usize = 4 << 20;
/// How long a proof waits for a block that is certified.
const PROOF_PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn info(State(gateway): State<Gateway>) -> Outcome<Json<LedgerView>> {
    let genesis = gateway.handle.status().await?.genesis;
    let view = gateway.handle.ledger(move |engine| {
        let (overview, first) = (engine.overview(), engine.genesis());
        let (role, role_note) = views::ledger::role(overview.role);
        let rules = match engine.read(&[Key::Rules]).entries.into_iter().next().flatten() {
            Some(Entry::Rules(rules)) => Some(rules),
            _ => None,
        };
        let version = rules.map_or(RulesVersion::FIRST, |rules| rules.at(overview.head.height + 1));
        LedgerView {
            sky: first.sky,
            genesis: hex::encode(codec::encode(&genesis)),
            head: views::ledger::head(&overview.head),
            validators: overview.validators,
            role,
            role_note,
            validator_address: overview.validator_address,
            waiting: overview.waiting as u64,
            entries: overview.entries as u64,
            economy_free: !first.params.economy,
            params: ParamsView::from(&first.params),
            rules: version.get(),
            rules_next: rules.as_ref().and_then(RulesSwitchView::of),
        }
    });
    Ok(Json(view.await))
}

pub(crate) async fn blocks(
    State(gateway): State<Gateway>,
    query: Result<Query<BlocksQuery>, QueryRejection>,
) -> Outcome<Json<Blocks>> {
    let Query(query) = query?;
    let from = query.from.unwrap_or(1).max(1);
    let (blocks, head) =
        gateway.handle.ledger(move |engine| (engine.blocks(from, BLOCKS_BYTES_MAX), engine.head())).await;
    let blocks = blocks?.iter().map(hex::encode).collect();
    Ok(Json(Blocks { from, blocks, head: views::ledger::head(&head) }))
}

pub(crate) async fn proof(
    State(gateway): State<Gateway>,
    query: Result<Query<ProofQuery>, QueryRejection>,
) -> Outcome<impl IntoResponse> {
    let Query(query) = query?;
    let key = key_of(&query)?;
    let bytes = prove(&gateway, key).await?;
    Ok(([(header::CONTENT_TYPE, PROOF_CONTENT_TYPE)], bytes))
}

pub(crate) async fn checkpoint(
    State(gateway): State<Gateway>,
    query: Result<Query<CheckpointQuery>, QueryRejection>,
) -> Outcome<Json<CheckpointView>> {
    let Query(CheckpointQuery { epoch }) = query?;
    let asked = move |engine: &dyn LedgerEngine| (engine.genesis().clone(), engine.checkpoint(epoch));
    let (genesis, found) = gateway.handle.ledger(asked).await;
    let found = found?.ok_or_else(|| {
        let what = match epoch {
            _ if !genesis.params.economy => {
                "this sky has no prices, so nothing leaves for public chains".into()
            }
            Some(epoch) => format!("this node has not seen epoch {epoch} end"),
            None => "no epoch has ended yet".to_owned(),
        };
        problem(Code::CheckpointNotFound, what)
    })?;
    Ok(Json(views::ledger::checkpoint(&genesis.sky, found)))
}

/// The newest block may have no certificate of its own yet; the next one brings news of that.
async fn prove(gateway: &Gateway, key: Key) -> Result<Vec<u8>, FollowError> {
    let until = Instant::now() + PROOF_PATIENCE;
    let mut news = gateway.handle.ledger(|engine| engine.subscribe()).await;
    loop {
        let proven = gateway.handle.ledger(move |engine| engine.prove(&key)).await;
        if !matches!(proven, Err(FollowError::NotNext { .. })) {
            return proven;
        }
        match tokio::time::timeout_at(until, news.recv()).await {
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => {}
            Ok(Err(RecvError::Closed)) | Err(_) => return proven,
        }
    }
}

fn key_of(query: &ProofQuery) -> Result<Key, Answer> {
    let bad = |what: &str| problem(Code::InvalidRequest, what);
    match (&query.account, &query.agreement, &query.key) {
        (Some(account), None, None) => Ok(Key::Account(account.0)),
        (None, Some(agreement), None) => Ok(Key::Escrow(*agreement)),
        (None, None, Some(digits)) => {
            let bytes = hex::decode(digits).map_err(|_| bad("'key' is not hex"))?;
            codec::decode(&bytes, KEY_BYTES_MAX).map_err(|_| bad("'key' is not the encoded key of an entry"))
        }
        _ => Err(bad("name exactly one of 'account', 'agreement' and 'key'")),
    }
}
