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
mod telling;
mod transactions;
mod validators;
mod wallet;

use crate::{
    Gateway, auth, dashboard,
    gate::{Gate, Passage},
    graphql::Graphql,
    problem::{Answer, problem},
    reach::{self, Reach},
    route::guarded,
};
use axum::{Extension, Router, extract::DefaultBodyLimit, middleware, routing::any};
pub(crate) use node::now;
use opensky_api::{Code, routes::REQUEST_BYTES_MAX};
pub(crate) use telling::Told;
use tokio_util::sync::CancellationToken;

/// Every path of the API that no route has.
const UNKNOWN: &str = "/v1/{*rest}";

/// The API behind its door, and the dashboard beside it.
pub(crate) fn routes(gateway: Gateway, gate: &Gate, stop: &CancellationToken, reach: Reach) -> Router {
    // What GraphQL asks for goes through the same gate as what comes from outside.
    let inner = shared(table::plain().into_router(gate), gate, stop).with_state(gateway.clone());
    let graphql = Graphql::new(&crate::openapi::document(&table::plain()), inner);
    shared(api(gate), gate, stop)
        .layer(Extension(graphql))
        .fallback(dashboard::serve)
        .layer(middleware::from_fn_with_state(reach, reach::check))
        .with_state(gateway)
}

/// What every handler may ask for.
fn shared(routes: Router<Gateway>, gate: &Gate, stop: &CancellationToken) -> Router<Gateway> {
    routes
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(Extension(stop.clone()))
        .layer(Extension(gate.clone()))
        .layer(Extension(gate.door.clone()))
        .layer(Extension(gate.metrics.clone()))
        .layer(Extension(gate.streams.clone()))
}

fn api(gate: &Gate) -> Router<Gateway> {
    let unknown = Passage { gate: gate.clone(), route: UNKNOWN, needs: auth::VIEWER, is_timed: true };
    table::table()
        .into_router(gate)
        .route(UNKNOWN, guarded(any(|| async { no_such_route() }), unknown))
        .method_not_allowed_fallback(|| async { wrong_method() })
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
