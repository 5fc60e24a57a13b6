//! The compute score: how fast one core is on the work that counts, WASM under the node's engine.
//!
//! This crate keeps the reference program and the figures; running it is the work of an executor,
//! which the binary brings.

use std::time::Duration;

/// The reference program, `examples/programs/score.wat`: a core module.
pub const SCORE_PROGRAM: &[u8] = include_bytes!("../../../examples/programs/score.wasm");
/// Its exported function, without arguments.
pub const SCORE_FUNCTION: &str = "run";
/// What the function returns on every machine. Anything else means that the engine computes wrong.
pub const SCORE_RESULT: i32 = 252_689_933;

/// One run of the reference program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreRun {
    /// Fuel that it burned.
    pub fuel: u64,
    /// How long it took, without compiling and starting.
    pub took: Duration,
}

impl ScoreRun {
    /// Millions of fuel per second; at least 1, since a machine that ran it can compute.
    pub fn score(self) -> u32 {
        let per_second = u128::from(self.fuel) / self.took.as_micros().max(1);
        u32::try_from(per_second).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_millions_of_fuel_per_second() {
        let cases = [
            (550_000_000, Duration::from_millis(50), 11_000),
            (550_000_000, Duration::from_secs(5), 110),
            (1, Duration::from_secs(5), 1),
            (5, Duration::ZERO, 5),
            (u64::MAX, Duration::ZERO, u32::MAX),
        ];
        for (fuel, took, score) in cases {
            assert_eq!(ScoreRun { fuel, took }.score(), score, "{fuel} in {took:?}");
        }
    }
}
