//! Percentiles of durations.

use std::{fmt, time::Duration};

/// Durations in order, in microseconds.
pub struct Spread(Vec<f64>);

impl Spread {
    /// At least one duration.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<f64> = times.into_iter().map(|time| time.as_secs_f64() * 1e6).collect();
        times.sort_unstable_by(f64::total_cmp);
        Self(times)
    }

    /// The duration that `share` of all stay below, in microseconds.
    pub fn at_us(&self, share: f64) -> f64 {
        self.0[((self.0.len() as f64 * share) as usize).min(self.0.len() - 1)]
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.1} us, p90 {:.1} us, p99 {:.1} us",
            self.at_us(0.5),
            self.at_us(0.9),
            self.at_us(0.99)
        )
    }
}
