//! In-memory fakes of every port, and the contract suites that every implementation runs.
//!
//! The fakes keep the ports' promises in full, so a node built on them behaves as on the real
//! adapters, only faster and under the test's control. A suite in [`contract`] panics with a
//! sentence that names the broken promise. Sample records are in [`opensky_types::samples`].

pub mod contract;

mod blobs;
mod clock;
mod executor;
mod journal;
mod ledger;
mod machine;
mod network;
mod service;
mod stream;

pub use blobs::MemoryBlobs;
pub use clock::{FakeClock, SystemClock};
pub use executor::{FakeExecutor, FakeRun};
pub use journal::MemoryJournal;
pub use ledger::MemoryLedger;
pub use machine::FakeMachine;
pub use network::{MemoryNetwork, MemoryTransport, Weather};
pub use service::{FakeService, FakeServices};

/// Locks a fake's state. A test that panicked while it held the lock has failed already.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no test panicked while it held this lock")
}
