//! What happened in a run, as one hash: two runs of a seed that are the same have the same.

use std::sync::{Arc, Mutex, PoisonError};

/// Gathers what happens. Clones gather into one hash.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<State>>);

struct State {
    hasher: blake3::Hasher,
    steps: u64,
    /// Also says each step, for people who compare two runs.
    is_loud: bool,
}

impl Trace {
    /// An empty trace.
    pub fn new(is_loud: bool) -> Self {
        Self(Arc::new(Mutex::new(State { hasher: blake3::Hasher::new(), steps: 0, is_loud })))
    }

    /// Something happened.
    pub fn step(&self, what: &str, numbers: &[u64]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.hasher.update(what.as_bytes());
        for number in numbers {
            state.hasher.update(&number.to_le_bytes());
        }
        state.steps += 1;
        if state.is_loud {
            println!("{what} {numbers:?}");
        }
    }

    /// The hash of all steps so far, and their number.
    pub fn hash(&self) -> (String, u64) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.hasher.finalize().to_hex()[..16].to_owned(), state.steps)
    }
}
