//! Clocks and randomness that are the same on every machine (spec C3).
//!
//! Two things stay as they are: sleeping takes real time (which no clock of the program shows), and
//! the times and inode numbers of files that a program makes for itself are those of the disk.

use opensky_types::Hash;
use rand::TryRng;
use std::{
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

/// What a deterministic program's wall clock always shows: 2001-09-09 01:46:40 UTC.
const WALL_CLOCK: Duration = Duration::from_secs(1_000_000_000);
/// How far each reading moves the monotonic clock on, so that loops that wait for it end.
const MONOTONIC_STEP_NS: u64 = 1_000_000;

/// Gives a program made-up clocks, and randomness that depends on `seed` and `item` only.
pub fn apply(wasi: &mut WasiCtxBuilder, seed: u64, item: &str) {
    let stream = |purpose: u8| SeededRandom::new(seed, item, purpose);
    wasi.wall_clock(FixedClock)
        .monotonic_clock(CountingClock::default())
        .secure_random(stream(0))
        .insecure_random(stream(1))
        .insecure_random_seed(u128::from(stream(2).next_u64()));
}

struct FixedClock;

impl HostWallClock for FixedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn now(&self) -> Duration {
        WALL_CLOCK
    }
}

#[derive(Default)]
struct CountingClock {
    readings: AtomicU64,
}

impl HostMonotonicClock for CountingClock {
    fn resolution(&self) -> u64 {
        MONOTONIC_STEP_NS
    }
    fn now(&self) -> u64 {
        self.readings.fetch_add(1, Relaxed).wrapping_mul(MONOTONIC_STEP_NS)
    }
}

/// BLAKE3 in its extendable-output mode, keyed by what the randomness may depend on.
struct SeededRandom(blake3::OutputReader);

impl SeededRandom {
    fn new(seed: u64, item: &str, purpose: u8) -> Self {
        let key = Hash::of_value("opensky task randomness 1", &(seed, item, purpose));
        Self(blake3::Hasher::new_keyed(key.as_bytes()).finalize_xof())
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl TryRng for SeededRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(Self::next_u64(self) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(Self::next_u64(self))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn randomness_depends_on_seed_item_and_purpose_only() {
        let draw = |seed, item, purpose| SeededRandom::new(seed, item, purpose).next_u64();
        assert_eq!(draw(1, "a", 0), draw(1, "a", 0));
        let all = [draw(1, "a", 0), draw(2, "a", 0), draw(1, "b", 0), draw(1, "a", 1)];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one));
        }
    }

    #[test]
    fn the_monotonic_clock_counts_its_readings() {
        let clock = CountingClock::default();
        assert_eq!([clock.now(), clock.now(), clock.now()], [0, 1_000_000, 2_000_000]);
    }
}
