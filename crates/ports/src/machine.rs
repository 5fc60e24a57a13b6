//! The machine under the node: what it is, and how it is doing.

use opensky_types::resources::{HardwareProfile, Readings};
use std::path::PathBuf;

/// Reads the hardware. Calls may block for some milliseconds; the node calls them off its loop.
pub trait Machine: Send + Sync {
    /// What the machine has. Measured once and cached by the implementation.
    fn profile(&self) -> HardwareProfile;

    /// How it is doing now.
    fn readings(&self) -> Readings;
}

/// How a program gets at a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GpuDevice {
    /// By the driver's name for it.
    Nvidia { uuid: String },
    /// By device files: the one of all AMD GPUs, and its own.
    Amd { kfd: PathBuf, render: PathBuf },
    /// Its driver shows no way.
    None,
}
