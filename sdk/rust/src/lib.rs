//! Run jobs on a sky from Rust, through the local node.
//!
//! What it is: an async client of the node's loopback API ([`opensky_api`]). What it never does:
//! talk to other nodes, hold keys, or decide anything about a job. Start at [`Client`], then
//! [`Client::submit_file`] (a job file with its local files) or [`Client::submit`] (a job built in
//! code), then [`Client::wait`] and [`Client::outputs`].
//!
//! ```no_run
//! # async fn example() -> Result<(), opensky_client::ClientError> {
//! use opensky_client::Client;
//!
//! let client = Client::from_env()?;
//! let submitted = client.submit_file("job.toml".as_ref(), &Default::default()).await?;
//! let detail = client.wait(submitted.job).await?;
//! println!("{}: {}", detail.summary.job, detail.summary.state.as_str());
//! for output in client.outputs(submitted.job, 0).await? {
//!     println!("task {}: {} bytes", output.run.task, output.stdout.len());
//! }
//! # Ok(())
//! # }
//! ```

mod blobs;
mod client;
mod error;
mod events;
mod files;
mod images;
mod jobs;
mod keys;
mod ledger;
mod save;
mod services;
mod sse;
mod trust;
mod wallet;

pub use client::{Client, data_dir_default};
pub use error::ClientError;
pub use events::JobEvents;
pub use files::{FileJob, Overrides, PreparedJob, StageOutput};
pub use images::ImageSource;
pub use jobs::Output;
pub use ledger::LedgerEvents;
pub use opensky_api as api;
pub use save::{Saved, path_below};
pub use trust::{Fingerprint, Trust};
