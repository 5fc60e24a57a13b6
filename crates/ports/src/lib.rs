//! What a node needs from the world, as traits.
//!
//! What it is: the doors between the node and everything outside it ([`Transport`], [`Executor`],
//! [`ServiceEngine`], [`BlobStore`], [`Journal`], [`LedgerEngine`], [`Machine`], [`Clock`]), each with an in-memory fake and one
//! contract suite that every implementation runs (feature `testing`). What it never does: know an
//! adapter. Start at the trait you implement, then run its suite.

pub mod blobs;
pub mod clock;
pub mod executor;
pub mod journal;
pub mod ledger;
pub mod machine;
pub mod service;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;

pub use blobs::{BlobError, BlobReader, BlobStore, BlobWriter, Pin};
pub use clock::Clock;
pub use executor::{Engine, Executor, LogSink, LogStream, WorkBatch, WorkItem, WorkResult};
pub use journal::{Journal, JournalError, Record};
pub use ledger::LedgerEngine;
pub use machine::{GpuDevice, Machine};
pub use service::{Instance, InstanceEnd, KeptLog, Outlet, ServiceEngine, ServiceRun};
pub use transport::{ByteStream, Transport, TransportError, TransportEvent};
