//! The memory of all requests together, and what one of them holds of it.

use crate::engine::TABLE_ELEMENTS_MAX;
use opensky_types::resources::Limit;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use wasmtime::ResourceLimiter;

/// What an element of a table takes.
const TABLE_ELEMENT_BYTES: u64 = 8;

/// What requests may hold, and do.
pub struct Memory {
    limit_bytes: u64,
    held_bytes: AtomicU64,
}

impl Memory {
    pub const fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, held_bytes: AtomicU64::new(0) }
    }

    fn take(&self, bytes: u64) -> bool {
        let taken = self.held_bytes.fetch_update(Relaxed, Relaxed, |held| {
            held.checked_add(bytes).filter(|held| *held <= self.limit_bytes)
        });
        taken.is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.held_bytes.fetch_sub(bytes, Relaxed);
    }
}

/// One request's part, given back when it ends.
pub struct Share {
    of: Arc<Memory>,
    bytes: u64,
    /// What was granted last, taken back if the system could not deliver it.
    last_bytes: u64,
    elements: usize,
    denied: Option<Limit>,
}

impl Share {
    pub const fn new(of: Arc<Memory>) -> Self {
        Self { of, bytes: 0, last_bytes: 0, elements: 0, denied: None }
    }

    /// The limit that it ran into last: the true cause where a program traps afterwards.
    pub const fn denied(&self) -> Option<Limit> {
        self.denied
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.give_back(self.bytes);
    }
}

impl ResourceLimiter for Share {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let by = desired.saturating_sub(current) as u64;
        self.last_bytes = 0;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if !self.of.take(by) {
            self.denied = Some(Limit::Memory);
            return Ok(false);
        }
        self.bytes += by;
        self.last_bytes = by;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.of.give_back(self.last_bytes);
        self.bytes -= self.last_bytes;
        self.last_bytes = 0;
        self.denied = Some(Limit::Memory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let grown = self.elements.saturating_add(desired.saturating_sub(current));
        if grown > TABLE_ELEMENTS_MAX {
            self.denied = Some(Limit::Table);
            return Ok(false);
        }
        let bytes = (desired.saturating_sub(current) as u64).saturating_mul(TABLE_ELEMENT_BYTES);
        if !self.of.take(bytes) {
            self.denied = Some(Limit::Memory);
            return Ok(false);
        }
        self.bytes += bytes;
        self.elements = grown;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_share_the_memory_and_give_it_back() {
        let memory = Arc::new(Memory::new(100));
        let mut one = Share::new(memory.clone());
        let mut other = Share::new(memory.clone());
        assert!(one.memory_growing(0, 60, None).unwrap());
        assert!(!other.memory_growing(0, 60, None).unwrap());
        assert_eq!(other.denied(), Some(Limit::Memory));
        drop(one);
        assert!(other.memory_growing(0, 60, None).unwrap());
        other.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(other.memory_growing(0, 100, None).unwrap());
        assert!(!other.memory_growing(100, 101, None).unwrap());
        drop(other);
        assert_eq!(memory.held_bytes.load(Relaxed), 0);
    }

    #[test]
    fn a_programs_own_maximum_is_not_our_limit() {
        let mut share = Share::new(Arc::new(Memory::new(100)));
        assert!(!share.memory_growing(0, 60, Some(50)).unwrap());
        assert!(!share.table_growing(0, 6, Some(5)).unwrap());
        assert_eq!(share.denied(), None);
        assert!(!share.table_growing(0, TABLE_ELEMENTS_MAX + 1, None).unwrap());
        assert_eq!(share.denied(), Some(Limit::Table));
    }
}
