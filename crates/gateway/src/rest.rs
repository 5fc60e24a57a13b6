//! The routes; a file per resource, and the table of all of them.

mod blobs;
mod description;
mod events;
mod images;
mod jobs;
mod keys;
mod ledger;
mod ledger_events;
mod logs;
mod metrics;
mod node;
mod runs;
mod services;
mod session;
mod sky;
pub(crate) mod table;
mod transactions;
mod validators;
mod wallet;

use crate::{
    Gateway, auth, dashboard,
    gate::{Gate, Passage},
    problem::{Answer, problem},
    route::guarded,
};
use axum::{Extension, Router, extract::DefaultBodyLimit, middleware, routing::any};
pub(crate) use node::now;
use opensky_api::{Code, routes::REQUEST_BYTES_MAX};
use tokio_util::sync::CancellationToken;

/// Every path of the API that no route has.
const UNKNOWN: &str = "/v1/{*rest}";

/// The API behind its door, and the dashboard beside it.
pub(crate) fn routes(gateway: Gateway, gate: Gate, stop: CancellationToken) -> Router {
    api(&gate, stop)
        .layer(Extension(gate.door))
        .layer(Extension(gate.metrics))
        .fallback(dashboard::serve)
        .layer(middleware::from_fn(auth::local_only))
        .with_state(gateway)
}

fn api(gate: &Gate, stop: CancellationToken) -> Router<Gateway> {
    let unknown = Passage { gate: gate.clone(), route: UNKNOWN, needs: auth::VIEWER, is_timed: true };
    table::table()
        .into_router(gate)
        .route(UNKNOWN, guarded(any(|| async { no_such_route() }), unknown))
        .method_not_allowed_fallback(|| async { wrong_method() })
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(Extension(stop))
}

fn no_such_route() -> Answer {
    problem(Code::NoSuchRoute, "this node serves no such route; it may be older than the client")
}

fn wrong_method() -> Answer {
    problem(
        Code::WrongMethod,
        "this route does not take that method; GET /v1/openapi.json lists what it takes",
    )
}
