//! The local HTTP API of a node.
//!
//! What it is: the routes of [`opensky_api::routes`], served over loopback to whoever holds the token, an
//! API key or a browser's session: JSON in, JSON out, problems as RFC 9457; and the files of the dashboard.
//! What it never does: decide, or reach into the node past [`opensky_node::Handle`]. Start at [`serve`], then
//! `rest/table.rs` for the table of routes and `gate.rs` for what a request passes on its way.

mod auth;
mod dashboard;
mod gate;
mod keys;
mod metrics;
mod openapi;
mod prices;
mod problem;
mod rate;
mod replay;
mod rest;
mod route;
mod sessions;
mod views;

pub use auth::Token;

use gate::Gate;
use keys::KeyRing;
use opensky_api::{config::ConfigView, doctor::Check};
use opensky_node::Handle;
use prices::Prices;
use std::{
    future::IntoFuture,
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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

/// State that every route sees.
#[derive(Clone)]
pub(crate) struct Gateway {
    handle: Handle,
    surroundings: Arc<Surroundings>,
    /// What the node is called now.
    name: Arc<RwLock<String>>,
    prices: Arc<Prices>,
}

impl Gateway {
    pub(crate) fn name(&self) -> String {
        self.name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The description of the API: OpenAPI 3.1 as JSON, for people and tools.
pub fn openapi() -> String {
    let document = openapi::document(&rest::table::table());
    serde_json::to_string_pretty(&document).expect("plain data") + "\n"
}

/// Serves the API until `stop` fires; then open requests get a moment to end.
pub async fn serve(
    listener: TcpListener,
    handle: Handle,
    token: Token,
    surroundings: Surroundings,
    stop: CancellationToken,
) -> io::Result<()> {
    let door = auth::Door::new(token, kept_keys(&handle).await?, listener.local_addr()?.port());
    let name = Arc::new(RwLock::new(surroundings.name.clone()));
    let prices = Arc::new(Prices::default());
    let watched = prices.watch(handle.clone(), stop.clone());
    let gateway = Gateway { handle, surroundings: Arc::new(surroundings), name, prices: Arc::clone(&prices) };
    let routes = rest::routes(gateway, Gate::new(door), stop.clone());
    let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
    tokio::join!(served.into_future(), watched).0
}

async fn kept_keys(handle: &Handle) -> io::Result<KeyRing> {
    let failed = |problem: String| io::Error::other(format!("the API keys cannot be read: {problem}"));
    let kept = handle.kept(auth::KEYS_SETTING).await.map_err(|error| failed(error.to_string()))?;
    let ring = kept.map(|bytes| KeyRing::decode(&bytes)).transpose();
    Ok(ring.map_err(|error| failed(error.to_string()))?.unwrap_or_default())
}
