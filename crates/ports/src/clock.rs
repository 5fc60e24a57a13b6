//! Time, so that tests and the simulator can own it.

use opensky_types::Timestamp;

/// The node's only source of time and randomness.
pub trait Clock: Send + Sync {
    /// The wall clock. May jump; nothing may rely on it moving forward.
    fn now(&self) -> Timestamp;

    /// Microseconds since some start; never goes back. For durations.
    fn monotonic_us(&self) -> u64;

    /// Fresh random bytes, fit for keys and nonces.
    fn random(&self) -> [u8; 32];
}
