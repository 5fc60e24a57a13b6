//! One suite per port. Every implementation runs its port's suite, the fakes included.
//!
//! A suite states what callers rely on, so a failure names a broken promise; nothing in it depends
//! on how an implementation works. Suites of asynchronous ports run in the caller's tokio runtime.

mod blobs;
mod executor;
mod journal;
mod service;
mod transport;

pub use blobs::{blob_store, blob_store_restart};
pub use executor::executor;
pub use journal::journal;
pub use service::{Does, service_engine};
pub use transport::{Stranger, transport};
