//! What the owner's limits and the state of the machine allow right now (spec N8).

use crate::Config;
use opensky_types::{
    Micros, Timestamp,
    engine::Engine,
    limits::ContributionLimits,
    offer::ContainerOffer,
    resources::{Gpu, HardwareProfile, Readings, TaskLimits},
};

/// Degrees below the warning at which a hot machine takes work again.
const COOL_DOWN_DEGREES: i16 = 3;
/// Input within this time means that somebody sits at the machine.
const IDLE_MS_MIN: u64 = 5 * 60 * 1000;
/// Processor use by others from which a machine counts as used.
const BUSY_PERCENT_MIN: u8 = 25;
/// Free disk below which nothing new starts, where the disk is known.
const DISK_FREE_BYTES_MIN: u64 = 256 << 20;

/// Why nothing new starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Starting,
    Stopping,
    Paused,
    OutsideHours,
    InUse,
    Hot,
    LowMemory,
    LowDisk,
}

impl Closed {
    pub const fn note(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Paused => "paused",
            Self::OutsideHours => "outside-hours",
            Self::InUse => "in-use",
            Self::Hot => "hot",
            Self::LowMemory => "low-memory",
            Self::LowDisk => "low-disk",
        }
    }
}

/// What services on this node take: tasks share the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reserved {
    /// Slots.
    pub slots: u16,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Files, in bytes.
    pub disk_bytes: u64,
    /// GPUs, by their places among those of the machine.
    pub gpus: Vec<u8>,
}

/// Limits, machine and readings, and what follows from them.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    limits: Option<ContributionLimits>,
    hardware: Option<HardwareProfile>,
    readings: Readings,
    is_hot: bool,
    is_draining: bool,
    reserved: Reserved,
    closed: Option<(Closed, Timestamp)>,
}

impl Gate {
    pub fn new() -> Self {
        Self { closed: Some((Closed::Starting, Timestamp::default())), ..Self::default() }
    }

    pub fn set_limits(&mut self, now: Timestamp, limits: ContributionLimits) {
        self.limits = Some(limits);
        self.judge(now);
    }

    pub fn set_hardware(&mut self, now: Timestamp, hardware: HardwareProfile) {
        self.hardware = Some(hardware);
        self.judge(now);
    }

    pub fn set_readings(&mut self, now: Timestamp, readings: Readings) {
        self.readings = readings;
        self.judge(now);
    }

    pub fn set_reserved(&mut self, reserved: Reserved) {
        self.reserved = reserved;
    }

    pub fn drain(&mut self, now: Timestamp) {
        self.is_draining = true;
        self.judge(now);
    }

    /// Why nothing new starts, if so.
    pub fn closed(&self) -> Option<Closed> {
        self.closed.map(|(closed, _)| closed)
    }

    /// Whether all work has to end now: at once when the owner pauses or the node stops, and after
    /// `wind_down_ms` of any other reason.
    pub fn must_end(&self, now: Timestamp, wind_down_ms: u64) -> bool {
        match self.closed {
            None | Some((Closed::Starting, _)) => false,
            Some((Closed::Paused | Closed::Stopping, _)) => true,
            Some((_, since)) => now.ms_since(since) >= wind_down_ms,
        }
    }

    /// Whether running work has to stop at once to save the machine.
    pub fn is_critical(&self) -> bool {
        let critical = self.limits.as_ref().map(|limits| limits.temperature_critical);
        self.readings.temperature_celsius.zip(critical).is_some_and(|(now, critical)| now >= critical)
    }

    /// Most tasks at a time, whether or not the gate is open.
    pub fn slots(&self) -> u16 {
        self.slots_shared().saturating_sub(self.reserved.slots)
    }

    /// All slots that the owner shares, for tasks and services together.
    pub fn slots_shared(&self) -> u16 {
        let Some((limits, hardware)) = self.known() else { return 0 };
        if limits.cpu_percent == 0 {
            return 0;
        }
        let share = u32::from(hardware.cpu_cores) * u32::from(limits.cpu_percent.min(100)) / 100;
        share.clamp(1, u16::MAX.into()) as u16
    }

    /// What a billion fuel costs.
    pub fn price(&self, config: &Config) -> Micros {
        let price = self.limits.as_ref().filter(|_| config.has_prices).map(|limits| limits.price_per_gfuel);
        price.unwrap_or_default()
    }

    /// Memory for all running tasks together, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_shared_bytes().saturating_sub(self.reserved.memory_bytes)
    }

    /// All memory that the owner shares, in bytes.
    pub fn memory_shared_bytes(&self) -> u64 {
        self.known().map_or(0, |(limits, hardware)| limits.memory_bytes.min(hardware.memory_bytes))
    }

    /// Scratch and output for all running tasks together, in bytes.
    pub fn disk_bytes(&self) -> u64 {
        self.disk_shared_bytes().saturating_sub(self.reserved.disk_bytes)
    }

    /// All disk that the owner shares, in bytes.
    pub fn disk_shared_bytes(&self) -> u64 {
        self.known().map_or(0, |(limits, _)| limits.disk_bytes)
    }

    /// The largest limits for one task. Scratch and output may each have half of the disk, so that
    /// both always fit together.
    pub fn task_limits_max(&self, cap: &TaskLimits) -> TaskLimits {
        let half_disk_bytes = self.disk_bytes() / 2;
        TaskLimits {
            memory_bytes: cap.memory_bytes.min(self.memory_bytes()),
            scratch_bytes: cap.scratch_bytes.min(half_disk_bytes),
            output_bytes: cap.output_bytes.min(half_disk_bytes),
            ..*cap
        }
    }

    /// What containers find in an engine by the owner's limits, for tasks and services together.
    pub fn containers_shared(&self, engine: &Engine) -> ContainerOffer {
        let most = self.limits.as_ref().map_or(0, |limits| usize::from(limits.gpus));
        let mut containers = engine.containers.clone();
        containers.gpus.truncate(most);
        containers
    }

    /// The same for tasks.
    pub fn containers(&self, engine: &Engine) -> ContainerOffer {
        let mut containers = self.containers_shared(engine);
        containers.gpus.retain(|place| !self.reserved.gpus.contains(place));
        containers
    }

    /// The GPUs of the machine.
    pub fn gpus(&self) -> &[Gpu] {
        self.hardware.as_ref().map_or(&[], |hardware| &hardware.gpus)
    }

    fn known(&self) -> Option<(&ContributionLimits, &HardwareProfile)> {
        self.limits.as_ref().zip(self.hardware.as_ref())
    }

    fn judge(&mut self, now: Timestamp) {
        self.is_hot = self.feel_heat();
        self.closed = match (self.reason(), self.closed) {
            (None, _) => None,
            // Time to wind down runs from the first reason, but not from before the start.
            (Some(reason), Some((before, since))) if before != Closed::Starting => Some((reason, since)),
            (Some(reason), _) => Some((reason, now)),
        };
    }

    fn feel_heat(&self) -> bool {
        let Some((limits, celsius)) = self.limits.as_ref().zip(self.readings.temperature_celsius) else {
            return false;
        };
        let margin = if self.is_hot { COOL_DOWN_DEGREES } else { 0 };
        celsius >= limits.temperature_warning.min(limits.temperature_critical).saturating_sub(margin)
    }

    fn reason(&self) -> Option<Closed> {
        if self.is_draining {
            return Some(Closed::Stopping);
        }
        let Some((limits, hardware)) = self.known() else { return Some(Closed::Starting) };
        let readings = &self.readings;
        let is_outside = |minute| limits.hours.is_some_and(|hours| !hours.contain(minute));
        if !limits.share || limits.cpu_percent == 0 || self.memory_shared_bytes() == 0 {
            Some(Closed::Paused)
        } else if is_outside(readings.minute_of_day) {
            Some(Closed::OutsideHours)
        } else if limits.only_when_idle && is_used(readings) {
            Some(Closed::InUse)
        } else if self.is_hot {
            Some(Closed::Hot)
        } else if readings.memory_available_bytes < hardware.memory_bytes / 32 {
            Some(Closed::LowMemory)
        } else if hardware.disk_free_bytes > 0 && readings.disk_free_bytes < DISK_FREE_BYTES_MIN {
            Some(Closed::LowDisk)
        } else {
            None
        }
    }
}

fn is_used(readings: &Readings) -> bool {
    readings.cpu_busy_percent >= BUSY_PERCENT_MIN
        || readings.idle_ms.is_some_and(|idle_ms| idle_ms < IDLE_MS_MIN)
}
