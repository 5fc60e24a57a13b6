//! The tests that an offer must pass, and the count of those that did not.

use crate::row::{Row, arch_code, kind_bit, level_bit};
use opensky_types::{
    Timestamp,
    job::Needs,
    offer::{Demand, Offer},
    reason::{Misfit, MisfitCounts},
    resources::{Limit, TaskLimits},
};

/// Marks of one row, from the demand's lists of nodes.
pub(crate) const PEER: u8 = 1;
pub(crate) const EXCLUDED: u8 = 2;
pub(crate) const USED: u8 = 4;

/// A demand made ready for comparing with rows.
pub(crate) struct Filter<'a> {
    now: Timestamp,
    level: u8,
    /// Bits of the regions; all set for "any".
    regions: u16,
    kinds: u8,
    peers_only: bool,
    cores: u16,
    speed: u32,
    memory_bytes: u64,
    gpus: u8,
    price_max: u64,
    arch: Option<(u8, &'a str)>,
    limits: TaskLimits,
    /// What rows do not tell; none for most demands.
    needs: Option<&'a Needs>,
}

impl<'a> Filter<'a> {
    pub fn new(now: Timestamp, demand: &'a Demand) -> Self {
        let constraints = &demand.constraints;
        let any_or = |bits: u16| if bits == 0 { u16::MAX } else { bits };
        let regions = constraints.regions.iter().fold(0, |bits, region| bits | 1 << *region as u8);
        let kinds = constraints.kinds.iter().fold(0, |bits, kind| bits | u16::from(kind_bit(*kind)));
        Self {
            now,
            level: level_bit(demand.level),
            regions: any_or(regions),
            kinds: kinds as u8,
            peers_only: !constraints.peers.is_empty(),
            cores: constraints.cpu_cores_min,
            speed: constraints.score_min,
            memory_bytes: constraints.machine_memory_bytes_min,
            gpus: constraints.gpus_min,
            price_max: constraints.price_per_gfuel_max.map_or(u64::MAX, |price| price.get()),
            arch: constraints.arch.as_deref().map(|arch| (arch_code(arch), arch)),
            limits: demand.limits,
            needs: Some(&demand.needs).filter(|needs| **needs != Needs::default()),
        }
    }

    /// The first test that the row does not pass. Lasting properties come before passing states, and
    /// `Full` last: what fails there alone would fit a moment later. `offer` gives what the row does not tell: the
    /// name of a rare architecture, and what containers find.
    #[inline]
    pub fn misfit<'r>(&self, row: &Row, marks: u8, offer: impl Fn() -> &'r Offer) -> Option<Misfit> {
        let misfit = if row.expires_at <= self.now {
            Misfit::Expired
        } else if row.levels & self.level == 0 {
            Misfit::Level
        } else if self.regions & 1 << row.region as u8 == 0 {
            Misfit::Region
        } else if self.kinds != 0 && row.kinds & self.kinds == 0 {
            Misfit::Kind
        } else if self.peers_only && marks & PEER == 0 {
            Misfit::Peer
        } else if marks & EXCLUDED != 0 {
            Misfit::Excluded
        } else if row.cores < self.cores {
            Misfit::Cores
        } else if row.speed < self.speed {
            Misfit::Score
        } else if row.memory_bytes < self.memory_bytes {
            Misfit::MachineMemory
        } else if row.gpus < self.gpus {
            Misfit::Gpu
        } else if row.price > self.price_max {
            Misfit::Price
        } else if self
            .arch
            .is_some_and(|(code, name)| row.arch != code || (code == 0 && offer().hardware.cpu_arch != name))
        {
            Misfit::Arch
        } else if let Some(missing) = self.needs.and_then(|needs| missing(offer(), needs)) {
            missing
        } else if row.slots_total == 0 {
            Misfit::Closed
        } else if let Some(limit) = first_over(&self.limits, &row.limits) {
            Misfit::TaskLimit(limit)
        } else if row.resting_until > self.now {
            Misfit::Resting
        } else if marks & USED != 0 {
            Misfit::AlreadyUsed
        } else if row.slots_free == 0 {
            Misfit::Full
        } else {
            return None;
        };
        Some(misfit)
    }
}

#[cold]
fn missing(offer: &Offer, needs: &Needs) -> Option<Misfit> {
    offer.containers.misfit(needs, &offer.hardware.gpus)
}

fn first_over(asked: &TaskLimits, allowed: &TaskLimits) -> Option<Limit> {
    if asked.memory_bytes > allowed.memory_bytes {
        Some(Limit::Memory)
    } else if asked.fuel > allowed.fuel {
        Some(Limit::Fuel)
    } else if asked.wall_ms > allowed.wall_ms {
        Some(Limit::Time)
    } else if asked.scratch_bytes > allowed.scratch_bytes {
        Some(Limit::Scratch)
    } else if asked.output_bytes > allowed.output_bytes {
        Some(Limit::Output)
    } else {
        None
    }
}

/// Counts misfits without a search per offer.
#[derive(Default)]
pub(crate) struct Tally {
    /// By [`Tally::place`].
    excluded: [Option<(Misfit, u32)>; 32],
}

impl Tally {
    #[inline]
    pub fn count(&mut self, misfit: Misfit) {
        self.excluded[Self::place(&misfit)].get_or_insert((misfit, 0)).1 += 1;
    }

    pub fn into_counts(self, offers: u32, fitting: u32) -> MisfitCounts {
        let mut excluded: Vec<(Misfit, u32)> = self.excluded.into_iter().flatten().collect();
        excluded.sort_unstable();
        MisfitCounts { offers, fitting, excluded }
    }

    fn place(misfit: &Misfit) -> usize {
        match misfit {
            Misfit::TaskLimit(limit) => *limit as usize,
            Misfit::Level => 8,
            Misfit::Region => 9,
            Misfit::Kind => 10,
            Misfit::Peer => 11,
            Misfit::Excluded => 12,
            Misfit::Cores => 13,
            Misfit::Score => 14,
            Misfit::MachineMemory => 15,
            Misfit::Gpu => 16,
            Misfit::Price => 17,
            Misfit::Arch => 18,
            Misfit::Closed => 19,
            Misfit::Full => 20,
            Misfit::Expired => 21,
            Misfit::Resting => 22,
            Misfit::AlreadyUsed => 23,
            Misfit::Unreachable => 24,
            Misfit::Terms => 25,
            Misfit::Unfunded => 26,
            Misfit::Registry => 27,
            Misfit::Isolation => 28,
        }
    }
}
