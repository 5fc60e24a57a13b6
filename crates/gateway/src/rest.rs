//! The table of routes; a file per resource.

mod blobs;
mod events;
mod images;
mod jobs;
mod ledger;
mod ledger_events;
mod logs;
mod node;
mod runs;
mod session;
mod sky;
mod transactions;
mod validators;
mod wallet;

use crate::{
    Gateway, auth,
    auth::Door,
    dashboard,
    problem::{Answer, problem},
};
use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, delete, get, post},
};
use opensky_api::{
    Code,
    routes::{self, REQUEST_BYTES_MAX},
};
use tokio_util::sync::CancellationToken;

/// The API behind its door, and the dashboard beside it.
pub(crate) fn routes(gateway: Gateway, door: Door, stop: CancellationToken) -> Router {
    api(stop)
        .layer(middleware::from_fn_with_state(door.clone(), auth::check))
        .layer(Extension(door))
        .fallback(dashboard::serve)
        .layer(middleware::from_fn(auth::local_only))
        .with_state(gateway)
}

fn api(stop: CancellationToken) -> Router<Gateway> {
    Router::new()
        .route(routes::STATUS, get(node::status))
        .route(routes::NODE, get(node::node))
        .route(routes::LIMITS, get(node::limits).put(node::set_limits))
        .route(routes::CONFIG, get(node::config))
        .route(routes::DOCTOR, get(node::doctor))
        .route(routes::STOP, post(node::stop))
        .route(routes::PEERS, get(sky::peers))
        .route(routes::OFFERS, get(sky::offers))
        .route(routes::CLUSTERS, get(sky::clusters))
        .route(routes::INVITES, get(sky::invites).post(sky::invite))
        .route(routes::MEMBERS, get(sky::members))
        .route(routes::BLOB, get(blobs::download))
        .route(routes::IMAGES, get(images::list).post(images::keep).delete(images::remove))
        .route(routes::JOBS, get(jobs::list).post(jobs::submit))
        .route(routes::JOBS_QUOTE, post(jobs::quote))
        .route(routes::JOB, get(jobs::detail).delete(jobs::remove))
        .route(routes::JOB_CANCEL, post(jobs::cancel))
        .route(routes::JOB_RETRY, post(jobs::retry))
        .route(routes::JOB_RUNS, get(runs::runs))
        .route(routes::JOB_NOTES, get(runs::notes))
        .route(routes::JOB_EVENTS, get(events::events))
        .route(routes::TASK_LOG, get(logs::task_log))
        .route(routes::RECEIPT, get(runs::receipt))
        .route(routes::LEDGER, get(ledger::info))
        .route(routes::LEDGER_BLOCKS, get(ledger::blocks))
        .route(routes::LEDGER_PROOF, get(ledger::proof))
        .route(routes::LEDGER_CHECKPOINT, get(ledger::checkpoint))
        .route(routes::LEDGER_EVENTS, get(ledger_events::events))
        .route(routes::WALLET, get(wallet::wallet))
        .route(routes::WALLET_HISTORY, get(wallet::history))
        .route(routes::WALLET_TRANSFER, post(transactions::transfer))
        .route(routes::WALLET_STAKE, post(transactions::stake))
        .route(routes::WALLET_UNSTAKE, post(transactions::unstake))
        .route(routes::WALLET_OWNER, post(transactions::owner))
        .route(routes::WALLET_AUTO_TRANSFERS, get(wallet::auto_transfers).put(wallet::set_auto_transfers))
        .route(routes::TRANSACTIONS, post(transactions::submit))
        .route(routes::TRANSACTION, get(transactions::find))
        .route(routes::VALIDATORS, get(validators::list).post(validators::add))
        .route(routes::VALIDATOR, delete(validators::remove))
        .route(routes::LOGS, get(logs::node_log))
        .route(routes::SESSION, get(session::show).post(session::open).delete(session::close))
        .route(routes::SESSION_LINKS, post(session::link))
        .route("/v1/{*rest}", any(|| async { no_such_route() }))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        // An upload streams to disk and is bounded by the blob store's cap instead.
        .route(routes::BLOBS, post(blobs::upload).layer(DefaultBodyLimit::disable()))
        .layer(Extension(stop))
}

fn no_such_route() -> Answer {
    problem(Code::NoSuchRoute, "this node serves no such route; it may be older than the client")
}
