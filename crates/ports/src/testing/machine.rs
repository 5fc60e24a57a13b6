//! A machine whose sensors a test sets.

use super::lock;
use crate::machine::Machine;
use opensky_types::{
    resources::{HardwareProfile, Readings},
    samples,
};
use std::sync::{Arc, Mutex};

/// A machine with a fixed profile and settable readings. Clones share one machine.
#[derive(Clone)]
pub struct FakeMachine {
    profile: HardwareProfile,
    readings: Arc<Mutex<Readings>>,
}

impl Default for FakeMachine {
    /// The machine of [`samples::hardware`], cool, idle and with room, at noon.
    fn default() -> Self {
        let profile = samples::hardware();
        let readings = Readings {
            cpu_busy_percent: 0,
            memory_available_bytes: profile.memory_bytes,
            disk_free_bytes: profile.disk_free_bytes,
            temperature_celsius: Some(40),
            idle_ms: Some(3_600_000),
            minute_of_day: 12 * 60,
        };
        Self::new(profile, readings)
    }
}

impl FakeMachine {
    /// A machine.
    pub fn new(profile: HardwareProfile, readings: Readings) -> Self {
        Self { profile, readings: Arc::new(Mutex::new(readings)) }
    }

    /// Changes what the sensors say.
    pub fn change(&self, change: impl FnOnce(&mut Readings)) {
        change(&mut lock(&self.readings));
    }
}

impl Machine for FakeMachine {
    fn profile(&self) -> HardwareProfile {
        self.profile.clone()
    }

    fn readings(&self) -> Readings {
        *lock(&self.readings)
    }
}
