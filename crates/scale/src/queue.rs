//! Virtual time: what happens next. What falls on one microsecond happens in the order in which it was planned.

use std::{cmp::Ordering, collections::BinaryHeap};

/// Microseconds of virtual time.
pub type Time = u64;

/// One second.
pub const SECOND: Time = 1_000_000;

struct Planned<E> {
    at: Time,
    number: u64,
    event: E,
}

impl<E> PartialEq for Planned<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl<E> Eq for Planned<E> {}

impl<E> PartialOrd for Planned<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Planned<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// Events in order of time.
pub struct Queue<E> {
    now: Time,
    planned: BinaryHeap<Planned<E>>,
    count: u64,
    digest: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { now: 0, planned: BinaryHeap::new(), count: 0, digest: 0 }
    }
}

impl<E> Queue<E> {
    /// Now.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Plans an event for `delay` from now.
    pub fn after(&mut self, delay: Time, event: E) {
        self.at(self.now + delay, event);
    }

    /// Plans an event; one that lies in the past happens now.
    pub fn at(&mut self, at: Time, event: E) {
        self.count += 1;
        self.planned.push(Planned { at: at.max(self.now), number: self.count, event });
    }

    /// The next event, up to and including `until`; it is that late then.
    pub fn next(&mut self, until: Time) -> Option<E> {
        if self.planned.peek().is_none_or(|next| next.at > until) {
            return None;
        }
        let Planned { at, number, event } = self.planned.pop()?;
        self.now = at;
        self.digest = mix(self.digest ^ at.rotate_left(32) ^ number);
        Some(event)
    }

    /// A number that two runs share only if all their events came in one order at one time.
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// Events so far.
    pub const fn count(&self) -> u64 {
        self.count
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
pub const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
