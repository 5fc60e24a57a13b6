//! The machine under the node: what it is, and how it is doing.

use opensky_types::resources::{HardwareProfile, Readings};

/// Reads the hardware. Calls may block for some milliseconds; the node calls them off its loop.
pub trait Machine: Send + Sync {
    /// What the machine has. Measured once and cached by the implementation.
    fn profile(&self) -> HardwareProfile;

    /// How it is doing now.
    fn readings(&self) -> Readings;
}
