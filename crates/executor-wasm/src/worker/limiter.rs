//! Memory and tables of a task, over all its instances together.

use opensky_types::resources::Limit;
use wasmtime::ResourceLimiter;

/// Counts what a task holds and says no beyond its limits.
pub struct Limiter {
    memory: Meter,
    tables: Meter,
    denied: Option<Limit>,
}

struct Meter {
    limit: u64,
    now: u64,
    peak: u64,
    /// The last growth that was granted, taken back if the system could not deliver it.
    last: u64,
}

impl Meter {
    fn new(limit: u64) -> Self {
        Self { limit, now: 0, peak: 0, last: 0 }
    }

    fn grow(&mut self, by: u64) -> bool {
        let grown = self.now.saturating_add(by);
        let granted = grown <= self.limit;
        self.last = if granted { by } else { 0 };
        if granted {
            self.now = grown;
            self.peak = self.peak.max(grown);
        }
        granted
    }

    fn take_back(&mut self) {
        self.now -= self.last;
        self.last = 0;
    }
}

impl Limiter {
    pub fn new(memory_bytes_max: u64, table_elements_max: u64) -> Self {
        Self { memory: Meter::new(memory_bytes_max), tables: Meter::new(table_elements_max), denied: None }
    }

    /// The largest memory so far, in bytes.
    pub fn memory_peak_bytes(&self) -> u64 {
        self.memory.peak
    }

    /// The limit that a growth last ran into. A program sees that as an ordinary refusal; if it
    /// cannot go on without, it traps, and this is the true cause.
    pub fn denied(&self) -> Option<Limit> {
        self.denied
    }
}

/// Whether the program itself forbids this growth, with a maximum below our limit.
fn is_own_bound(desired: usize, maximum: Option<usize>, limit: u64) -> bool {
    maximum.is_some_and(|maximum| desired > maximum && (maximum as u64) < limit)
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_own_bound(desired, maximum, self.memory.limit) {
            return Ok(false);
        }
        let granted = self.memory.grow(desired.saturating_sub(current) as u64);
        if !granted {
            self.denied = Some(Limit::Memory);
        }
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // The system has no more, which is a lower limit than ours.
        self.memory.take_back();
        self.denied = Some(Limit::Memory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_own_bound(desired, maximum, self.tables.limit) {
            return Ok(false);
        }
        let granted = self.tables.grow(desired.saturating_sub(current) as u64);
        if !granted {
            self.denied = Some(Limit::Table);
        }
        Ok(granted)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.tables.take_back();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_count_together_and_failures_are_taken_back() {
        let mut limiter = Limiter::new(100, 10);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(!limiter.memory_growing(0, 60, None).unwrap());
        assert_eq!(limiter.denied(), Some(Limit::Memory));
        assert!(limiter.memory_growing(60, 90, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert_eq!(limiter.memory_peak_bytes(), 100);
    }

    #[test]
    fn a_programs_own_maximum_is_not_our_limit() {
        let mut limiter = Limiter::new(100, 10);
        assert!(!limiter.memory_growing(0, 60, Some(50)).unwrap());
        assert!(!limiter.table_growing(0, 6, Some(5)).unwrap());
        assert_eq!(limiter.denied(), None);
        assert!(!limiter.table_growing(0, 11, None).unwrap());
        assert_eq!(limiter.denied(), Some(Limit::Table));
    }
}
