//! Which parts run, and what they are told.

/// Hears what a run does at the moment.
pub type Progress<'a> = dyn FnMut(&str) + 'a;

/// What a run's events come to: two runs with the same numbers were the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trace {
    /// Events.
    pub events: u64,
    /// A digest of their order and times.
    pub digest: u64,
}

impl Trace {
    /// Adds the events of one model.
    pub fn add(&mut self, (events, digest): (u64, u64)) {
        self.events += events;
        self.digest = crate::queue::mix(self.digest ^ digest);
    }
}
