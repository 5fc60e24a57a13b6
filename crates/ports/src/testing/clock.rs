//! A clock that stands still until a test moves it, and the machine's own for tests of real time.

use super::lock;
use crate::clock::Clock;
use opensky_types::{Hash, Timestamp, samples};
use std::{
    sync::{Arc, LazyLock, Mutex},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The machine's time of day, for what runs beside real sockets and disks. Nothing in it is random.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(since.as_millis() as u64)
    }

    fn monotonic_us(&self) -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_micros() as u64
    }

    fn random(&self) -> [u8; 32] {
        [7; 32]
    }
}

/// Time that a test owns, and randomness that is the same in each run. Clones share one clock.
#[derive(Clone)]
pub struct FakeClock {
    state: Arc<Mutex<State>>,
}

struct State {
    now: Timestamp,
    monotonic_us: u64,
    seed: u64,
    draws: u64,
}

impl Default for FakeClock {
    /// A clock at [`samples::NOW`] with seed 0.
    fn default() -> Self {
        Self::new(samples::NOW, 0)
    }
}

impl FakeClock {
    /// A clock that stands at `now`; `seed` decides its randomness.
    pub fn new(now: Timestamp, seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State { now, monotonic_us: 0, seed, draws: 0 })) }
    }

    /// Lets time pass.
    pub fn advance_ms(&self, millis: u64) {
        let mut state = lock(&self.state);
        state.now = state.now.plus_ms(millis);
        state.monotonic_us += millis * 1_000;
    }

    /// Sets the wall clock, backwards too; the monotonic clock does not move.
    pub fn set(&self, now: Timestamp) {
        lock(&self.state).now = now;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        lock(&self.state).now
    }

    fn monotonic_us(&self) -> u64 {
        lock(&self.state).monotonic_us
    }

    fn random(&self) -> [u8; 32] {
        let mut state = lock(&self.state);
        state.draws += 1;
        *Hash::of_value("opensky fake randomness", &(state.seed, state.draws)).as_bytes()
    }
}
