//! Figures of many measurements.

use serde::Serialize;

/// Median, 99th percentile and maximum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many were measured.
    pub count: usize,
    /// Half are at most this.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// All are at most this.
    pub max: f64,
}

impl Spread {
    /// Of these measurements; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let max = *values.last()?;
        // Nearest rank: the smallest that as many hundredths are not above.
        let rank = |percent: usize| values[(values.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self { count: values.len(), p50: rank(50), p99: rank(99), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements() {
        assert_eq!(Spread::of(Vec::new()), None);
        assert_eq!(Spread::of(vec![2.0]), Some(Spread { count: 1, p50: 2.0, p99: 2.0, max: 2.0 }));
        let spread = Spread::of((1..=200).rev().map(f64::from).collect()).expect("there are some");
        assert_eq!((spread.p50, spread.p99, spread.max), (100.0, 198.0, 200.0));
    }
}
