//! What the owner lets the sky use.

use opensky_types::{
    Micros,
    limits::{ContributionLimits, Hours},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The owner's limits, read and written whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Whether the machine shares at all.
    pub share: bool,
    /// Processor, in percent of all cores (0 to 100).
    pub cpu_percent: u8,
    /// Memory for others' tasks, in bytes.
    pub memory_bytes: u64,
    /// Disk for others' content and scratch, in bytes.
    pub disk_bytes: u64,
    /// Only in these hours; absent for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<HoursView>,
    /// Only while nobody uses the machine.
    pub only_when_idle: bool,
    /// Degrees Celsius from which no new task starts.
    pub temperature_warning: i16,
    /// Degrees Celsius at which running tasks are stopped.
    pub temperature_critical: i16,
    /// Price of one billion fuel, in micros; holds in a sky with prices.
    pub price_per_gfuel: Micros,
    /// GPUs that programs of others can have, the first so many of those that the container engine can pass on.
    #[serde(default)]
    pub gpus: u8,
}

/// Hours of the day, in minutes since local midnight (0 to 1440). `from` after `to` goes over
/// midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursView {
    /// First minute.
    pub from_minute: u16,
    /// First minute no longer shared.
    pub to_minute: u16,
}

/// The limits and what they come to now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitsView {
    /// What the owner set.
    pub limits: Limits,
    /// Tasks that may run at a time under them, on this machine, now.
    pub slots_total: u16,
    /// Why nothing is shared now, such as `outside-hours`; empty while sharing.
    pub closed_reason: String,
}

impl From<&ContributionLimits> for Limits {
    fn from(limits: &ContributionLimits) -> Self {
        Self {
            share: limits.share,
            cpu_percent: limits.cpu_percent,
            memory_bytes: limits.memory_bytes,
            disk_bytes: limits.disk_bytes,
            hours: limits
                .hours
                .map(|hours| HoursView { from_minute: hours.from_minute, to_minute: hours.to_minute }),
            only_when_idle: limits.only_when_idle,
            temperature_warning: limits.temperature_warning,
            temperature_critical: limits.temperature_critical,
            price_per_gfuel: limits.price_per_gfuel,
            gpus: limits.gpus,
        }
    }
}

/// Why limits make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// More than the whole machine.
    #[error("cpu_percent is {0}; it is 0 to 100")]
    CpuPercent(u8),
    /// A minute that no day has.
    #[error("{0} is not a minute of the day (0 to 1440)")]
    Minute(u16),
    /// The order would make the warning useless.
    #[error("the critical temperature ({critical} °C) must be above the warning temperature ({warning} °C)")]
    Temperature { warning: i16, critical: i16 },
}

impl TryFrom<Limits> for ContributionLimits {
    type Error = LimitsError;
    fn try_from(limits: Limits) -> Result<Self, LimitsError> {
        if limits.cpu_percent > 100 {
            return Err(LimitsError::CpuPercent(limits.cpu_percent));
        }
        let minutes = limits.hours.iter().flat_map(|hours| [hours.from_minute, hours.to_minute]);
        if let Some(minute) = minutes.into_iter().find(|minute| *minute > 1440) {
            return Err(LimitsError::Minute(minute));
        }
        let (warning, critical) = (limits.temperature_warning, limits.temperature_critical);
        if warning >= critical {
            return Err(LimitsError::Temperature { warning, critical });
        }
        Ok(Self {
            share: limits.share,
            cpu_percent: limits.cpu_percent,
            memory_bytes: limits.memory_bytes,
            disk_bytes: limits.disk_bytes,
            hours: limits
                .hours
                .map(|hours| Hours { from_minute: hours.from_minute, to_minute: hours.to_minute }),
            only_when_idle: limits.only_when_idle,
            temperature_warning: warning,
            temperature_critical: critical,
            price_per_gfuel: limits.price_per_gfuel,
            gpus: limits.gpus,
        })
    }
}
