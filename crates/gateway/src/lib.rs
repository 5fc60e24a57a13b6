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
use std::{io, path::PathBuf, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the API shows that is not the node's to know.
pub struct Surroundings {
    /// The node's name for people.
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
}

/// State that every route sees.
#[derive(Clone)]
pub(crate) struct Gateway {
    handle: Handle,
    surroundings: Arc<Surroundings>,
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
    let gateway = Gateway { handle, surroundings: Arc::new(surroundings) };
    let routes = rest::routes(gateway, Gate::new(door), stop.clone());
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn kept_keys(handle: &Handle) -> io::Result<KeyRing> {
    let failed = |problem: String| io::Error::other(format!("the API keys cannot be read: {problem}"));
    let kept = handle.kept(auth::KEYS_SETTING).await.map_err(|error| failed(error.to_string()))?;
    let ring = kept.map(|bytes| KeyRing::decode(&bytes)).transpose();
    Ok(ring.map_err(|error| failed(error.to_string()))?.unwrap_or_default())
}
