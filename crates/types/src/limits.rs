//! What an owner lets the sky use of a machine (spec N8).

use crate::units::Micros;
use borsh::{BorshDeserialize, BorshSerialize};

/// What a billion fuel costs where the owner does not say: about a third of a credit for an hour of a core.
pub const PRICE_PER_GFUEL: Micros = Micros::new(100);

/// Hours of the day, in minutes since local midnight. `from` after `to` goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hours {
    /// First minute.
    pub from_minute: u16,
    /// First minute no longer shared.
    pub to_minute: u16,
}

impl Hours {
    /// Whether `minute` of the day is inside.
    pub const fn contain(self, minute: u16) -> bool {
        if self.from_minute <= self.to_minute {
            self.from_minute <= minute && minute < self.to_minute
        } else {
            self.from_minute <= minute || minute < self.to_minute
        }
    }
}

/// The owner's limits. They can change while tasks run and are kept over restarts.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ContributionLimits {
    /// Whether the machine shares at all.
    pub share: bool,
    /// Processor, in percent of all cores; decides the number of slots, at least one if not 0.
    pub cpu_percent: u8,
    /// Memory for others' tasks, in bytes.
    pub memory_bytes: u64,
    /// Disk for others' blobs and scratch, in bytes.
    pub disk_bytes: u64,
    /// Only in these hours; `None` for always.
    pub hours: Option<Hours>,
    /// Only when nobody uses the machine (no input for five minutes, processor mostly free).
    pub only_when_idle: bool,
    /// Degrees Celsius from which no new task starts.
    pub temperature_warning: i16,
    /// Degrees Celsius at which running tasks are stopped.
    pub temperature_critical: i16,
    /// Price of one billion fuel, in a sky with prices.
    pub price_per_gfuel: Micros,
    /// GPUs, the first so many of those that programs can be given.
    pub gpus: u8,
}

impl Default for ContributionLimits {
    /// Half the machine at most is promised before its owner says otherwise, and no GPU, whose driver runs what others
    /// give it in the kernel; the node lowers memory and disk to half of what the machine has.
    fn default() -> Self {
        Self {
            share: true,
            cpu_percent: 50,
            memory_bytes: 4 << 30,
            disk_bytes: 10 << 30,
            hours: None,
            only_when_idle: false,
            temperature_warning: 80,
            temperature_critical: 92,
            price_per_gfuel: PRICE_PER_GFUEL,
            gpus: 0,
        }
    }
}
