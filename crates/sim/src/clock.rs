//! Clocks of nodes: all run on virtual time, none shows the same.

use opensky_ports::Clock;
use opensky_types::{Hash, Timestamp};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tokio::time::Instant;

/// The moment at which every run begins, in milliseconds since 1970.
pub const BEGIN_MS: u64 = 1_800_000_000_000;

/// One machine's clock.
pub struct NodeClock {
    start: Instant,
    seed: u64,
    node: u64,
    draws: AtomicU64,
    /// How far it is off, in milliseconds.
    off_ms: AtomicI64,
    /// How much faster it runs, in parts per million.
    drift_ppm: i64,
}

impl NodeClock {
    /// A clock that is right at `start` and drifts from then on.
    pub fn new(start: Instant, seed: u64, node: u64, drift_ppm: i64) -> Self {
        Self { start, seed, node, draws: AtomicU64::new(0), off_ms: AtomicI64::new(0), drift_ppm }
    }

    /// Somebody sets it, forward or back.
    pub fn jump(&self, millis: i64) {
        self.off_ms.fetch_add(millis, Ordering::Relaxed);
    }

    /// Milliseconds since 1970, as this clock shows them.
    pub fn shows_ms(&self) -> u64 {
        let passed = self.start.elapsed().as_millis() as i64;
        let shown = passed + passed * self.drift_ppm / 1_000_000 + self.off_ms.load(Ordering::Relaxed);
        BEGIN_MS.saturating_add_signed(shown)
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.shows_ms())
    }

    fn monotonic_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    fn random(&self) -> [u8; 32] {
        let draw = self.draws.fetch_add(1, Ordering::Relaxed);
        *Hash::of_value("opensky simulated randomness", &(self.seed, self.node, draw)).as_bytes()
    }
}
