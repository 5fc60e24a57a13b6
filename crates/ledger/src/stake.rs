//! Money that answers for an account: at stake, or on its way out of it.
//!
//! Money that leaves stake answers for its owner until the unbonding time has passed, so that nobody
//! cheats and takes the stake out before the evidence is in. Only money that may be withdrawn can be
//! staked: a grant that costs nothing would answer for nothing.

mod act;

pub(crate) use act::{of, release, slash, stake, unstake};

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Micros, Timestamp};

/// Most parts that can be on their way out at once.
pub const UNBONDING_MAX: usize = 8;

/// Money on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Unbonding {
    /// How much.
    pub amount: Micros,
    /// From when it is free.
    pub free_at: Timestamp,
}

/// The stake of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Stake {
    bonded: Micros,
    /// In order of the time they are free.
    unbonding: Vec<Unbonding>,
}

/// Why stake was not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StakeError {
    /// Nothing was to be moved.
    #[error("an amount of nothing")]
    Nothing,
    /// There is not so much at stake.
    #[error("{staked} at stake, {wanted} asked for")]
    TooLittle {
        /// At stake.
        staked: Micros,
        /// Asked for.
        wanted: Micros,
    },
    /// As many parts as may be are on their way out.
    #[error("{UNBONDING_MAX} parts are on their way out; the first is free at {}", first_free_at.as_millis())]
    QueueFull {
        /// When the first of them is free.
        first_free_at: Timestamp,
    },
    /// More than can be counted.
    #[error("{staked} at stake and {added} more can't be counted")]
    Overflow {
        /// At stake.
        staked: Micros,
        /// To be added.
        added: Micros,
    },
}

impl Stake {
    /// What is at stake and stays there.
    pub const fn bonded(&self) -> Micros {
        self.bonded
    }

    /// What is on its way out, first free first; at most [`UNBONDING_MAX`] parts.
    pub fn unbonding(&self) -> &[Unbonding] {
        &self.unbonding
    }

    /// All that slashing can take. Checked on the way in to fit.
    pub fn total(&self) -> Micros {
        Micros::new(self.unbonding.iter().fold(self.bonded.get(), |sum, part| sum + part.amount.get()))
    }

    /// Whether there is nothing left, so that the entry can go.
    pub fn is_empty(&self) -> bool {
        self.bonded == Micros::ZERO && self.unbonding.is_empty()
    }

    /// Puts `amount` at stake.
    pub fn bond(&mut self, amount: Micros) -> Result<(), StakeError> {
        if amount == Micros::ZERO {
            return Err(StakeError::Nothing);
        }
        let staked = self.total();
        let overflow = StakeError::Overflow { staked, added: amount };
        staked.checked_add(amount).ok_or(overflow)?;
        self.bonded = self.bonded.checked_add(amount).ok_or(overflow)?;
        Ok(())
    }

    /// Sends `amount` on its way out, and says when it is free.
    pub fn unbond(&mut self, amount: Micros, now: Timestamp, wait_ms: u64) -> Result<Timestamp, StakeError> {
        if amount == Micros::ZERO {
            return Err(StakeError::Nothing);
        }
        if let Some(first) = self.unbonding.first()
            && self.unbonding.len() >= UNBONDING_MAX
        {
            return Err(StakeError::QueueFull { first_free_at: first.free_at });
        }
        let too_little = StakeError::TooLittle { staked: self.bonded, wanted: amount };
        self.bonded = self.bonded.checked_sub(amount).ok_or(too_little)?;
        // A shorter wait, after a change of the parameter, does not overtake what left before.
        let last = self.unbonding.last().map_or(now, |part| part.free_at);
        let free_at = now.plus_ms(wait_ms).max(last);
        self.unbonding.push(Unbonding { amount, free_at });
        Ok(free_at)
    }

    /// Takes out what is free by now: its sum, which belongs to the owner again.
    pub fn release(&mut self, now: Timestamp) -> Micros {
        let free = self.unbonding.partition_point(|part| part.free_at <= now);
        Micros::new(self.unbonding.drain(..free).map(|part| part.amount.get()).sum())
    }

    /// Takes up to `amount` away: the sum taken, which belongs to the treasury. What stays at stake
    /// goes first, then what would have been free last.
    pub fn slash(&mut self, amount: Micros) -> Micros {
        let mut owed = amount.get();
        owed -= take(&mut self.bonded, owed);
        for part in self.unbonding.iter_mut().rev() {
            owed -= take(&mut part.amount, owed);
        }
        self.unbonding.retain(|part| part.amount != Micros::ZERO);
        Micros::new(amount.get() - owed)
    }

    /// Takes all of it away: the sum taken.
    pub fn confiscate(&mut self) -> Micros {
        let taken = self.total();
        *self = Self::default();
        taken
    }

    /// Asserts what holds of every stake.
    pub fn check(&self) {
        assert!(self.unbonding.len() <= UNBONDING_MAX, "{} parts unbond", self.unbonding.len());
        assert!(self.unbonding.is_sorted_by_key(|part| part.free_at), "the queue is in order");
        assert!(self.unbonding.iter().all(|part| part.amount != Micros::ZERO), "no part is empty");
        let total = self.unbonding.iter().try_fold(self.bonded, |sum, part| sum.checked_add(part.amount));
        assert_eq!(total, Some(self.total()), "the sum can be counted");
    }
}

/// Takes up to `owed` out of `from`: what was taken.
fn take(from: &mut Micros, owed: u64) -> u64 {
    let taken = from.get().min(owed);
    *from = Micros::new(from.get() - taken);
    taken
}
