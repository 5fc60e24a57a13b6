//! Epochs: stretches of blocks with one validator set each.

use commonware_consensus::types::FixedEpocher;
use std::num::NonZeroU64;

/// How many heights an epoch spans. Fixed at genesis: it decides which set a height belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochLength(NonZeroU64);

impl EpochLength {
    /// An epoch of this many heights; epoch 0 counts the genesis. None below two, since epoch 0 would
    /// have no block to vote on.
    pub const fn new(heights: u64) -> Option<Self> {
        match NonZeroU64::new(heights) {
            Some(heights) if heights.get() > 1 => Some(Self(heights)),
            _ => None,
        }
    }

    /// Heights in an epoch.
    pub const fn heights(self) -> u64 {
        self.0.get()
    }

    /// The epoch that a height belongs to.
    pub const fn epoch_of(self, height: u64) -> u64 {
        height / self.0.get()
    }

    /// The last height of an epoch, whose block names the next validators.
    pub const fn last(self, epoch: u64) -> u64 {
        epoch.saturating_add(1).saturating_mul(self.0.get()).saturating_sub(1)
    }

    pub(crate) const fn epocher(self) -> FixedEpocher {
        FixedEpocher::new(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_fall_into_epochs() {
        let length = EpochLength::new(10).expect("ten");
        assert_eq!([0, 9, 10, 25].map(|height| length.epoch_of(height)), [0, 0, 1, 2]);
        assert_eq!([0, 1].map(|epoch| length.last(epoch)), [9, 19]);
        assert_eq!((EpochLength::new(0), EpochLength::new(1)), (None, None));
        assert_eq!(length.last(u64::MAX), u64::MAX - 1, "no overflow");
    }
}
