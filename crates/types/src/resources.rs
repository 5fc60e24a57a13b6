//! What a task may use, what it did use, and what a machine has.

use crate::place::words;
use crate::text::{ParseError, serde_as_text};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

/// The hard limits of one task. A task that passes one is stopped and says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TaskLimits {
    /// Linear memory of all instances together, in bytes.
    pub memory_bytes: u64,
    /// Wasmtime fuel, about one unit per WASM instruction.
    pub fuel: u64,
    /// Wall time, in milliseconds.
    pub wall_ms: u64,
    /// Files written to scratch and `/out` together, in bytes.
    pub scratch_bytes: u64,
    /// Standard output, standard error and output files, each kind on its own, in bytes.
    pub output_bytes: u64,
}

impl Default for TaskLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            fuel: 1_000_000_000_000,
            wall_ms: 600_000,
            scratch_bytes: 256 << 20,
            output_bytes: 64 << 20,
        }
    }
}

impl TaskLimits {
    /// Fuel that a program on one core with so many GPUs cannot use up in `wall_ms`: time is what ends it.
    pub const fn fuel_of_time(wall_ms: u64, gpus: u8) -> u64 {
        let each_us = FUEL_PER_CPU_US + gpus as u64 * FUEL_PER_GPU_US;
        // A little more, since two readings are never taken at one moment.
        wall_ms.saturating_add(1_000).saturating_mul(1_000).saturating_mul(each_us)
    }
}

words! {
    /// Names of the limits, as messages and receipts use them.
    Limit,
    "a limit: memory, fuel, time, scratch, output, stack, table or handles",
    {
        /// Linear memory.
        Memory = 0 => "memory",
        /// Fuel.
        Fuel = 1 => "fuel",
        /// Wall time.
        Time = 2 => "time",
        /// Scratch disk.
        Scratch = 3 => "scratch",
        /// Output size.
        Output = 4 => "output",
        /// Call stack.
        Stack = 5 => "stack",
        /// Table elements or instances.
        Table = 6 => "table",
        /// Open files.
        Handles = 7 => "handles",
    }
}

/// Fuel that one microsecond of processor time counts as, for programs whose instructions nobody counts: what
/// WASM gets through on a core of the usual speed. One unit of work for all levels keeps one price for all.
pub const FUEL_PER_CPU_US: u64 = 1_000;

/// Fuel that one microsecond of a GPU counts as, used or not, since nobody else has it: as much as twenty cores.
pub const FUEL_PER_GPU_US: u64 = 20 * FUEL_PER_CPU_US;

/// What one task used, as the engine and the kernel counted it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Usage {
    /// Fuel consumed; the compute unit of receipts.
    pub fuel: u64,
    /// Largest linear memory, in bytes.
    pub memory_peak_bytes: u64,
    /// Wall time from start to end of the run, in microseconds.
    pub wall_us: u64,
    /// Processor time of the run, in microseconds; zero where the kernel could not say.
    pub cpu_us: u64,
    /// Input handed to the task, in bytes.
    pub input_bytes: u64,
    /// Output it produced, in bytes.
    pub output_bytes: u64,
}

impl Usage {
    /// Sums two uses; the peak is the larger one. Saturates, since this is for display and totals.
    pub fn plus(self, other: Self) -> Self {
        Self {
            fuel: self.fuel.saturating_add(other.fuel),
            memory_peak_bytes: self.memory_peak_bytes.max(other.memory_peak_bytes),
            wall_us: self.wall_us.saturating_add(other.wall_us),
            cpu_us: self.cpu_us.saturating_add(other.cpu_us),
            input_bytes: self.input_bytes.saturating_add(other.input_bytes),
            output_bytes: self.output_bytes.saturating_add(other.output_bytes),
        }
    }
}

/// A machine as its node found it at start (spec N7).
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HardwareProfile {
    /// Marketing name of the processor.
    pub cpu_model: String,
    /// `x86_64`, `aarch64`, …
    pub cpu_arch: String,
    /// Logical cores.
    pub cpu_cores: u16,
    /// Memory of the machine, in bytes.
    pub memory_bytes: u64,
    /// Free disk under the data folder when last read, in bytes.
    pub disk_free_bytes: u64,
    /// Measured sequential write speed of the data folder's disk, in MB/s; zero if not measured.
    pub disk_write_mb_s: u32,
    /// Accelerators found.
    pub gpus: Vec<Gpu>,
    /// Measured compute score of one core: millions of fuel per second on the reference program.
    pub score_per_core: u32,
}

/// One accelerator.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Gpu {
    /// Marketing name.
    pub model: String,
    /// `nvidia`, `amd`, …
    pub vendor: String,
    /// Its memory in bytes, where the driver says.
    pub memory_bytes: Option<u64>,
}

/// Live readings of a machine, taken every few seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Readings {
    /// Processor use of the whole machine by others than this node, in percent of all cores.
    pub cpu_busy_percent: u8,
    /// Memory that new work could take, in bytes.
    pub memory_available_bytes: u64,
    /// Free disk under the data folder, in bytes.
    pub disk_free_bytes: u64,
    /// Hottest sensor, in whole degrees Celsius, where there is one.
    pub temperature_celsius: Option<i16>,
    /// Milliseconds since the last keyboard or pointer input, where the system tells.
    pub idle_ms: Option<u64>,
    /// Local time of day in minutes since midnight, for limits by hours.
    pub minute_of_day: u16,
}

/// A size of memory or disk that reads as people write it: `64MiB`, `2GB`, `512`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct ByteSize(u64);

impl ByteSize {
    /// A size in bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl fmt::Display for ByteSize {
    /// The largest binary unit, with one decimal where it is not whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = SIZE_UNITS[..4].iter().find(|(_, unit)| self.0 >= *unit);
        let text = match unit {
            None => format!("{} B", self.0),
            Some((name, unit)) if self.0.is_multiple_of(*unit) => format!("{} {name}", self.0 / unit),
            Some((name, unit)) => format!("{:.1} {name}", self.0 as f64 / *unit as f64),
        };
        f.pad(&text)
    }
}

impl FromStr for ByteSize {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "a size such as 64MiB, 2GB or 4096");
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let unit = match unit.trim() {
            "" => 1,
            "K" => 1 << 10,
            "M" => 1 << 20,
            "G" => 1 << 30,
            "T" => 1 << 40,
            unit => SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?.1,
        };
        Ok(Self(number.checked_mul(unit).ok_or_else(bad)?))
    }
}

serde_as_text!(ByteSize);
