//! Chance that comes out the same each time: all of it from the seed, one source for each purpose, so that what
//! is drawn for one never shifts another.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// A source of chance for one purpose.
#[derive(Debug)]
pub struct Chance(StdRng);

impl Chance {
    /// The source of a purpose under a seed.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes());
        Self(StdRng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.0.random()
    }

    /// A number below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.0.random_range(0..limit) }
    }

    /// A number in 0..1.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Whether something happens that does in this share of cases.
    pub fn is(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// An exponential time of this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A log-normal number: half of all are below `median`, `sigma` is the spread of their logarithms.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // Box and Muller 1958.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        median * (sigma * normal).exp()
    }

    /// Puts `count` of the items, drawn without order, at the front.
    pub fn draw<T>(&mut self, items: &mut [T], count: usize) {
        for place in 0..count.min(items.len()) {
            let other = place + self.below(items.len() - place);
            items.swap(place, other);
        }
    }
}
