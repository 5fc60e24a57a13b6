//! Which rules are in force at a height, and the switch to others.
//!
//! Every node must switch at the same block, so the switch is a fact in the state, known ahead by
//! [`RulesLimits::notice_blocks`]: a node that doesn't know the new rules stops there and says so.

mod act;

pub(crate) use act::{begin_block, call_off, schedule, version_at};

use borsh::{BorshDeserialize, BorshSerialize};

/// A version of the ledger's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct RulesVersion(u32);

impl RulesVersion {
    /// The rules that this program was first published with.
    pub const FIRST: Self = Self(1);

    /// A version by its number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A switch to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Switch {
    /// To which rules.
    pub version: RulesVersion,
    /// The first height under them.
    pub height: u64,
}

/// The rules of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Rules {
    in_force: RulesVersion,
    switch: Option<Switch>,
}

/// What a switch must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RulesLimits {
    /// How many blocks ahead a switch must be known.
    pub notice_blocks: u64,
}

impl Default for RulesLimits {
    fn default() -> Self {
        Self { notice_blocks: 1_000 }
    }
}

/// Why a switch was not scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Rules only go forward, one version at a time.
    #[error("rules {} can't follow rules {}; the next are {}", wanted.0, in_force.0, in_force.0.saturating_add(1))]
    NotNext {
        /// In force.
        in_force: RulesVersion,
        /// Asked for.
        wanted: RulesVersion,
    },
    /// Nodes need time to be updated.
    #[error("a switch at height {height} is too near; at {earliest} or later")]
    TooNear {
        /// Asked for.
        height: u64,
        /// The first height that could be.
        earliest: u64,
    },
    /// There is no switch to call off.
    #[error("no switch of rules is scheduled")]
    NoSwitch,
}

impl Rules {
    /// These rules, with no switch to come.
    pub const fn new(in_force: RulesVersion) -> Self {
        Self { in_force, switch: None }
    }

    /// The rules at `height`, which is not before the last block.
    pub fn at(&self, height: u64) -> RulesVersion {
        match self.switch {
            Some(switch) if height >= switch.height => switch.version,
            _ => self.in_force,
        }
    }

    /// The switch to come.
    pub const fn switch(&self) -> Option<Switch> {
        self.switch
    }

    /// Schedules the switch to `version` at `height`, in a block of height `now`. It takes the place of
    /// one that was scheduled and has not happened.
    pub fn schedule(
        &mut self,
        limits: &RulesLimits,
        now: u64,
        version: RulesVersion,
        height: u64,
    ) -> Result<(), RulesError> {
        self.begin_block(now);
        if Some(version.0) != self.in_force.0.checked_add(1) {
            return Err(RulesError::NotNext { in_force: self.in_force, wanted: version });
        }
        let earliest = now.saturating_add(limits.notice_blocks.max(1));
        if height < earliest {
            return Err(RulesError::TooNear { height, earliest });
        }
        self.switch = Some(Switch { version, height });
        Ok(())
    }

    /// Calls off the switch to come, in a block of height `now`.
    pub fn call_off(&mut self, now: u64) -> Result<Switch, RulesError> {
        self.begin_block(now);
        self.switch.take().ok_or(RulesError::NoSwitch)
    }

    /// Makes the switch if `height` has it: the rules that came into force.
    pub fn begin_block(&mut self, height: u64) -> Option<RulesVersion> {
        let switch = self.switch.take_if(|switch| height >= switch.height)?;
        self.in_force = switch.version;
        Some(switch.version)
    }
}
