//! What runs used.

use opensky_types::resources::Usage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Metered use of one run, or the sum over many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    /// Fuel: about one unit per WASM instruction.
    pub fuel: u64,
    /// Largest linear memory of any one run, in bytes.
    pub memory_peak_bytes: u64,
    /// Wall time, in microseconds.
    pub wall_us: u64,
    /// Processor time, in microseconds; 0 where the kernel could not say.
    pub cpu_us: u64,
    /// Input read, in bytes.
    pub input_bytes: u64,
    /// Output written, in bytes.
    pub output_bytes: u64,
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            fuel: usage.fuel,
            memory_peak_bytes: usage.memory_peak_bytes,
            wall_us: usage.wall_us,
            cpu_us: usage.cpu_us,
            input_bytes: usage.input_bytes,
            output_bytes: usage.output_bytes,
        }
    }
}

impl From<UsageView> for Usage {
    fn from(usage: UsageView) -> Self {
        Self {
            fuel: usage.fuel,
            memory_peak_bytes: usage.memory_peak_bytes,
            wall_us: usage.wall_us,
            cpu_us: usage.cpu_us,
            input_bytes: usage.input_bytes,
            output_bytes: usage.output_bytes,
        }
    }
}
