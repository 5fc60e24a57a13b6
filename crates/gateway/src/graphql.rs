//! GraphQL on the routes of the REST API.
//!
//! What it is: a schema made of the same description that `docs/openapi.json` publishes, a field for each route
//! that takes and answers JSON. A field asks its route inside this process, through the gate like any other
//! request: the table of who may do what, the audit log, rates, idempotency keys and metrics hold for it as
//! they are. What it never does: know a route of its own, or reach the node. Start at [`Graphql`], then
//! `graphql/schema.rs` for how the schema is made and `graphql/document.rs` for what a request may cost, `graphql/budget.rs` for how large its answer may be.

mod budget;
mod call;
mod document;
mod http;
mod persisted;
mod schema;
mod shapes;
mod socket;

pub(crate) use call::{Relay, Vouched};
pub(crate) use http::{get, post};

use crate::auth::Caller;
use async_graphql::dynamic::Schema;
use axum::Router;
use budget::Budget;
use persisted::Persisted;
use serde_json::Value;
use std::sync::{Arc, Mutex, atomic::AtomicUsize};

/// The schema and what requests share.
#[derive(Clone)]
pub(crate) struct Graphql {
    schema: Schema,
    persisted: Arc<Mutex<Persisted>>,
}

/// Who asks, of one request: what its fields need to ask their routes.
struct Asking {
    caller: Caller,
    /// The request's `Idempotency-Key`.
    once: Option<String>,
    /// Calls of routes that it made.
    calls: AtomicUsize,
    budget: Budget,
}

impl Asking {
    fn new(caller: Caller, once: Option<String>) -> Arc<Self> {
        Arc::new(Self { caller, once, calls: AtomicUsize::new(0), budget: Budget::default() })
    }
}

impl Graphql {
    /// The schema of the routes that `description` lists and `routes` serves.
    pub(crate) fn new(description: &Value, routes: Router) -> Self {
        Self { schema: schema::build(description, routes), persisted: Arc::default() }
    }
}

/// The schema of the routes of `description`, in GraphQL's own words.
pub(crate) fn sdl(description: &Value) -> String {
    schema::build(description, Router::new()).sdl()
}
