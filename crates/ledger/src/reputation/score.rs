//! The scale of reputation and its five tiers.

use super::AuditRate;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// A reputation, from 0 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub struct Score(u16);

impl Score {
    /// The lowest.
    pub const ZERO: Self = Self(0);
    /// A newcomer's.
    pub const NEW: Self = Self(100);
    /// The highest.
    pub const MAX: Self = Self(1000);

    /// A score, if it is on the scale.
    pub const fn new(score: u16) -> Option<Self> {
        if score <= Self::MAX.0 { Some(Self(score)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// With points gained; the scale ends at its highest.
    #[must_use]
    pub fn plus(self, points: u16) -> Self {
        Self(self.0.saturating_add(points).min(Self::MAX.0))
    }

    /// With points lost; the scale ends at zero.
    #[must_use]
    pub const fn minus(self, points: u16) -> Self {
        Self(self.0.saturating_sub(points))
    }

    /// The tier it is in.
    pub const fn tier(self) -> Tier {
        match self.0 {
            0..=99 => Tier::Probation,
            100..=299 => Tier::New,
            300..=599 => Tier::Established,
            600..=899 => Tier::Trusted,
            _ => Tier::Veteran,
        }
    }
}

impl BorshDeserialize for Score {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let score = u16::deserialize_reader(reader)?;
        Self::new(score).ok_or_else(|| {
            let problem = format!("a reputation of {score}; {} at most", Self::MAX);
            std::io::Error::new(std::io::ErrorKind::InvalidData, problem)
        })
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a score means for the one who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Tier {
    /// 0 to 99: every result is audited.
    Probation = 0,
    /// 100 to 299: one in two.
    New = 1,
    /// 300 to 599: one in ten.
    Established = 2,
    /// 600 to 899: one in fifty.
    Trusted = 3,
    /// 900 to 1000: one in two hundred.
    Veteran = 4,
}

impl Tier {
    /// How often its results are audited.
    pub const fn audit_rate(self) -> AuditRate {
        AuditRate::of_100_000(match self {
            Self::Probation => 100_000,
            Self::New => 50_000,
            Self::Established => 10_000,
            Self::Trusted => 2_000,
            Self::Veteran => 500,
        })
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Probation => "probation",
            Self::New => "new",
            Self::Established => "established",
            Self::Trusted => "trusted",
            Self::Veteran => "veteran",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
