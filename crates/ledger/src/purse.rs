//! Money that remembers where it came from.
//!
//! A starter grant may buy work but never leave the ledger for a public chain, however often it
//! changes hands, or else a thousand fake machines would be a mint. So every purse holds two kinds of
//! money that count alike, and only one of them can be withdrawn.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::Micros;

/// An amount, part of it granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Purse {
    /// Money that may be withdrawn.
    pub free: Micros,
    /// Money that began as a grant: it pays for everything but leaves by no bridge.
    pub granted: Micros,
}

impl Purse {
    /// Money that may be withdrawn.
    pub const fn free(amount: Micros) -> Self {
        Self { free: amount, granted: Micros::ZERO }
    }

    /// Money that may not.
    pub const fn granted(amount: Micros) -> Self {
        Self { free: Micros::ZERO, granted: amount }
    }

    /// Both together. Checked constructors keep the sum within `u64`.
    pub const fn total(&self) -> Micros {
        Micros::new(self.free.get().saturating_add(self.granted.get()))
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.free.get() == 0 && self.granted.get() == 0
    }

    /// With `other` put in, or `None` if the total would not fit.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let sum = Self {
            free: self.free.checked_add(other.free)?,
            granted: self.granted.checked_add(other.granted)?,
        };
        sum.free.checked_add(sum.granted).map(|_| sum)
    }

    /// Takes `amount` out, granted money first: `(taken, rest)`, or `None` if there is less.
    pub fn split(self, amount: Micros) -> Option<(Self, Self)> {
        let granted = Micros::new(self.granted.get().min(amount.get()));
        self.take(Self { free: amount.checked_sub(granted)?, granted })
    }

    /// Takes `amount` out, free money first.
    pub fn split_free_first(self, amount: Micros) -> Option<(Self, Self)> {
        let free = Micros::new(self.free.get().min(amount.get()));
        self.take(Self { free, granted: amount.checked_sub(free)? })
    }

    fn take(self, taken: Self) -> Option<(Self, Self)> {
        let rest = Self {
            free: self.free.checked_sub(taken.free)?,
            granted: self.granted.checked_sub(taken.granted)?,
        };
        Some((taken, rest))
    }
}
