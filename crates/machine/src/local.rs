//! This computer, as the node sees it.

use crate::{
    cache::{CacheError, MeasurementCache},
    cgroup,
    cpu::CpuMeter,
    disk, gpu,
    idle::IdleMeter,
    roots::Roots,
    score::ScoreRun,
    temperature,
};
use opensky_ports::{GpuDevice, Machine};
use opensky_types::resources::{HardwareProfile, Readings};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    thread,
};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The file of earlier measurements in the data folder.
const CACHE_FILE: &str = "measurements.json";

/// The machine this process runs on.
pub struct LocalMachine {
    data_folder: PathBuf,
    roots: Roots,
    /// Found at start; only its score changes.
    profile: Mutex<HardwareProfile>,
    /// How programs get at its GPUs, in the same order.
    gpu_devices: Vec<GpuDevice>,
    cache: Mutex<MeasurementCache>,
    meters: Mutex<Meters>,
}

/// What compares one reading with the last.
struct Meters {
    cpu: CpuMeter,
    idle: IdleMeter,
    /// `None` on a kind of system that is not supported; memory then reads as none.
    memory: Option<System>,
}

impl LocalMachine {
    /// Reads the hardware, and measures the disk of `data_folder` if that was not done before.
    /// Takes up to 200 ms then, and a few milliseconds at later starts. Never fails: what cannot be
    /// read is left out.
    pub fn open(data_folder: &Path) -> Self {
        Self::open_at(data_folder, Roots::default())
    }

    /// The same, with other roots.
    pub fn open_at(data_folder: &Path, roots: Roots) -> Self {
        let mut cache = MeasurementCache::open(data_folder.join(CACHE_FILE));
        let disk_write_mb_s = disk_write_mb_s(data_folder, &mut cache);
        let mut meters =
            Meters { cpu: CpuMeter::default(), idle: IdleMeter::default(), memory: System::new().ok() };
        // The first readings only set the marks.
        meters.cpu.others_percent(&roots, std::process::id());
        meters.idle.idle_ms(&roots);
        let (gpus, gpu_devices) = gpu::find(&roots).into_iter().unzip();
        let profile = HardwareProfile { gpus, ..find_hardware(data_folder, &roots, disk_write_mb_s) };
        Self {
            data_folder: data_folder.to_owned(),
            roots,
            profile: Mutex::new(profile),
            gpu_devices,
            cache: Mutex::new(cache),
            meters: Mutex::new(meters),
        }
    }

    /// How programs get at the GPUs of the profile, in the same order.
    pub fn gpu_devices(&self) -> &[GpuDevice] {
        &self.gpu_devices
    }

    /// The score of one core under `engine` as measured at an earlier start, now in the profile too;
    /// `None` if it must be measured, see [`LocalMachine::keep_score`].
    pub fn known_score(&self, engine: &str) -> Option<u32> {
        let mut profile = lock(&self.profile);
        let score = lock(&self.cache).score(&profile.cpu_model, engine)?;
        profile.score_per_core = score;
        Some(score)
    }

    /// Puts a measured score into the profile and keeps it for later starts under the same engine
    /// and processor. On an error it holds for this run only.
    pub fn keep_score(&self, engine: &str, run: ScoreRun) -> Result<u32, CacheError> {
        let mut profile = lock(&self.profile);
        profile.score_per_core = run.score();
        lock(&self.cache).set_score(&profile.cpu_model, engine, run.score())?;
        Ok(run.score())
    }

    /// A full disk or a folder that vanished has no room for new work.
    fn disk_free_bytes(&self) -> u64 {
        disk::free_bytes(&self.data_folder).unwrap_or(0)
    }
}

impl Machine for LocalMachine {
    fn profile(&self) -> HardwareProfile {
        let disk_free_bytes = self.disk_free_bytes();
        HardwareProfile { disk_free_bytes, ..lock(&self.profile).clone() }
    }

    fn readings(&self) -> Readings {
        let mut meters = lock(&self.meters);
        let within_group = cgroup::memory_limit(&self.roots).map_or(u64::MAX, |limit| limit.left_bytes());
        let available = meters.memory.as_mut().map_or(0, |system| {
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            system.available_memory()
        });
        Readings {
            cpu_busy_percent: meters.cpu.others_percent(&self.roots, std::process::id()),
            memory_available_bytes: available.min(within_group),
            disk_free_bytes: self.disk_free_bytes(),
            temperature_celsius: temperature::hottest_celsius(&self.roots),
            idle_ms: meters.idle.idle_ms(&self.roots),
            minute_of_day: minute_of_day(),
        }
    }
}

/// A panic while such a lock was held has ended a reading half-way; the next one starts afresh.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn find_hardware(data_folder: &Path, roots: &Roots, disk_write_mb_s: u32) -> HardwareProfile {
    let found = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(found).ok();
    let processors = system.as_ref().map_or(&[][..], System::cpus);
    let brand = processors.first().map_or("", |cpu| cpu.brand()).trim();
    let limit_bytes = cgroup::memory_limit(roots).map_or(u64::MAX, |limit| limit.limit_bytes);
    HardwareProfile {
        // Some ARM machines do not name their processor.
        cpu_model: if brand.is_empty() { std::env::consts::ARCH } else { brand }.to_owned(),
        cpu_arch: std::env::consts::ARCH.to_owned(),
        cpu_cores: usable_cores(),
        memory_bytes: system.as_ref().map_or(0, System::total_memory).min(limit_bytes),
        disk_free_bytes: disk::free_bytes(data_folder).unwrap_or(0),
        disk_write_mb_s,
        gpus: Vec::new(),
        score_per_core: 0,
    }
}

/// Logical cores that this process may use: affinity and cgroup quota count.
fn usable_cores() -> u16 {
    thread::available_parallelism().ok().and_then(|cores| u16::try_from(cores.get()).ok()).unwrap_or(1)
}

/// The disk's speed as measured once; 0 where it can't be.
fn disk_write_mb_s(data_folder: &Path, cache: &mut MeasurementCache) -> u32 {
    if let Some(mb_s) = cache.disk_write_mb_s() {
        return mb_s;
    }
    match disk::measure_write_mb_s(data_folder) {
        Ok(mb_s) => {
            if let Err(error) = cache.set_disk_write_mb_s(mb_s) {
                tracing::warn!(%error, cause = %error.source, "the disk will be measured again at the next start");
            }
            mb_s
        }
        Err(error) => {
            tracing::warn!(%error, folder = %data_folder.display(), "the disk's speed could not be measured");
            0
        }
    }
}

/// By the machine's own time zone.
fn minute_of_day() -> u16 {
    let now = jiff::Zoned::now();
    now.hour().unsigned_abs() as u16 * 60 + now.minute().unsigned_abs() as u16
}

#[cfg(test)]
mod tests;
