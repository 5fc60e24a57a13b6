//! The local HTTP API of a node.
//!
//! What it is: the routes of [`opensky_api::routes`], served over loopback, and over TLS to other machines where
//! the owner wants that, to whoever holds the token, an API key or a browser's session: JSON in, JSON out, problems as
//! RFC 9457; GraphQL made of the same routes; and the files of the dashboard.
//! What it never does: decide, or reach into the node past [`opensky_node::Handle`]. Start at [`serve`], then
//! `rest/table.rs` for the table of routes and `gate.rs` for what a request passes on its way.

mod auth;
mod dashboard;
mod gate;
mod graphql;
mod kept_role;
mod keys;
mod listening;
mod metrics;
mod moving;
mod openapi;
mod prices;
mod problem;
mod rate;
mod reach;
mod remote;
mod replay;
mod rest;
mod route;
mod serving;
mod sessions;
mod siwe;
mod socket;
mod source;
mod spending;
mod streams;
mod tls;
mod views;
mod wallets;

pub use auth::Token;
pub use remote::Remote;
pub use serving::serve;
pub use tls::{Tls, TlsError, TlsFiles};

use opensky_api::{config::ConfigView, doctor::Check};
use opensky_node::Handle;
use prices::Prices;
use std::{
    ops::Deref,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

/// Keeps the name that it is given, and answers what the node is called from now on.
pub type Rename = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

/// What the API shows that is not the node's to know.
pub struct Surroundings {
    /// The node's name for people at its start.
    pub name: String,
    /// Version of the software.
    pub version: String,
    /// The data folder.
    pub data_dir: PathBuf,
    /// The effective configuration.
    pub config: ConfigView,
    /// The node's own log.
    pub log_file: PathBuf,
    /// Looks the machine over. May block for a second.
    pub doctor: Arc<dyn Fn() -> Vec<Check> + Send + Sync>,
    /// Keeps a name for later starts and answers what the node is called from now on, or says why it cannot.
    /// May block on the disk.
    pub rename: Rename,
}

/// State that every route sees. Each request clones it more than once: that is one count.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Parts>);

/// What is behind a [`Gateway`].
pub(crate) struct Parts {
    handle: Handle,
    surroundings: Surroundings,
    /// What the node is called now.
    name: RwLock<String>,
    prices: Arc<Prices>,
}

impl Deref for Gateway {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Gateway {
    fn new(handle: Handle, surroundings: Surroundings, prices: Arc<Prices>) -> Self {
        let name = RwLock::new(surroundings.name.clone());
        Self(Arc::new(Parts { handle, surroundings, name, prices }))
    }

    pub(crate) fn name(&self) -> String {
        self.name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The description of the API: OpenAPI 3.1 as JSON, for people and tools.
pub fn openapi() -> String {
    let document = openapi::document(&rest::table::table());
    serde_json::to_string_pretty(&document).expect("plain data") + "\n"
}

/// The schema of the API's GraphQL, in its own words.
pub fn graphql_schema() -> String {
    graphql::sdl(&openapi::document(&rest::table::plain()))
}
