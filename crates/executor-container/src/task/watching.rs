//! A running container, measured: its time, its memory, its files.

use super::fuel_of;
use crate::{meter::Meter, slots::Slot};
use bollard::{Docker, query_parameters::StatsOptionsBuilder};
use futures::StreamExt;
use opensky_types::{
    resources::{FUEL_PER_GPU_US, Limit, TaskLimits, Usage},
    task::Failure,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Looks at the counters of the kernel between two looks at files.
const LOOKS_PER_SCRATCH_LOOK: u32 = 4;
/// Room on the disk below which tasks end: it is the machine's.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Looks between two questions to the engine, where the kernel's counters cannot be read.
const LOOKS_PER_QUESTION: u32 = 10;
/// Longest wait for the engine's answer.
const QUESTION_WAIT: Duration = Duration::from_secs(2);
/// How far past the wall time of its one core a task's processor time can be: two readings are never taken
/// at one moment.
const CPU_SLACK_US: u64 = 50_000;

/// What is known of a task so far.
pub struct Watching {
    limits: TaskLimits,
    /// GPUs that nobody else has meanwhile.
    gpus: u64,
    docker: Docker,
    id: String,
    began: Option<Instant>,
    /// Since when its GPUs are its own.
    holds_gpus: Option<Instant>,
    /// When its program had ended; what is done after that is not its own.
    ended: Option<Instant>,
    looks: u32,
    /// By the engine's word, where the kernel's counters cannot be read.
    asked_cpu_us: u64,
    memory_seen_bytes: u64,
}

impl Watching {
    pub fn new(limits: TaskLimits, gpus: usize, docker: Docker) -> Self {
        Self {
            limits,
            gpus: gpus as u64,
            docker,
            id: String::new(),
            began: None,
            holds_gpus: None,
            ended: None,
            looks: 0,
            asked_cpu_us: 0,
            memory_seen_bytes: 0,
        }
    }

    /// The container starts now.
    pub fn begin(&mut self, id: &str) {
        id.clone_into(&mut self.id);
        self.began = Some(Instant::now());
    }

    /// Its GPUs are nobody else's from now on.
    pub fn hold_gpus(&mut self) {
        self.holds_gpus = Some(Instant::now());
    }

    /// Its program has ended, or is about to.
    pub fn end(&mut self) {
        self.ended = Some(Instant::now());
    }

    /// Microseconds from a moment to its end, so far.
    fn us_since(&self, since: Option<Instant>) -> u64 {
        let until = self.ended.unwrap_or_else(Instant::now);
        let passed = since.map_or(Duration::ZERO, |since| until.saturating_duration_since(since));
        u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
    }

    /// Time left to the program.
    pub fn wall_left(&self) -> Duration {
        let elapsed = self.began.map_or(Duration::ZERO, |began| began.elapsed());
        Duration::from_millis(self.limits.wall_ms).saturating_sub(elapsed)
    }

    /// One of the regular looks.
    pub async fn look(&mut self, slot: &Slot) -> Result<(), Failure> {
        self.looks += 1;
        if slot.meter.cpu_us().is_none() && self.looks.is_multiple_of(LOOKS_PER_QUESTION) {
            self.ask().await;
        }
        let memory_bytes = slot.meter.memory_bytes().unwrap_or(0);
        self.memory_seen_bytes = self.memory_seen_bytes.max(memory_bytes);
        if self.fuel(self.cpu_us(&slot.meter)) > self.limits.fuel {
            return Err(Failure::Limit { limit: Limit::Fuel });
        }
        if self.looks.is_multiple_of(LOOKS_PER_SCRATCH_LOOK) {
            self.check_scratch(slot).await
        } else {
            Ok(())
        }
    }

    /// The look after the end.
    pub async fn check(&mut self, slot: &Slot) -> Result<(), Failure> {
        if self.fuel(self.cpu_us(&slot.meter)) > self.limits.fuel {
            return Err(Failure::Limit { limit: Limit::Fuel });
        }
        self.check_scratch(slot).await
    }

    async fn check_scratch(&self, slot: &Slot) -> Result<(), Failure> {
        let (scratch, limits) = (Arc::clone(&slot.scratch), self.limits);
        let looked = tokio::task::spawn_blocking(move || {
            let free_bytes = scratch.free_bytes().unwrap_or(u64::MAX);
            (scratch.is_within(&limits), free_bytes)
        });
        match looked.await {
            // Files that are open and have no name are seen nowhere else.
            Ok((true, free_bytes)) if free_bytes < FREE_BYTES_MIN => {
                Err(Failure::ProviderStopped { message: "the disk is nearly full".into() })
            }
            Ok((true, _)) => Ok(()),
            Ok((false, _)) | Err(_) => Err(Failure::Limit { limit: Limit::Scratch }),
        }
    }

    /// What it used.
    pub fn usage(&self, meter: &Meter) -> Usage {
        if self.began.is_none() {
            // Whoever lets GPUs wait for an image has them all the same.
            return Usage { fuel: self.fuel(0).min(self.limits.fuel), ..Usage::default() };
        }
        let wall_us = self.us_since(self.began);
        let cpu_us = plausible_cpu_us(self.cpu_us(meter), wall_us);
        Usage {
            // A consumer takes no more than was agreed; the last look may have come a moment late.
            fuel: self.fuel(cpu_us).min(self.limits.fuel),
            memory_peak_bytes: meter.memory_peak_bytes().unwrap_or(self.memory_seen_bytes),
            wall_us,
            cpu_us,
            ..Usage::default()
        }
    }

    /// Processor time, and all the time of its GPUs, as fuel.
    fn fuel(&self, cpu_us: u64) -> u64 {
        let held_us = self.us_since(self.holds_gpus);
        let of_gpus = held_us.saturating_mul(self.gpus).saturating_mul(FUEL_PER_GPU_US);
        fuel_of(cpu_us).saturating_add(of_gpus)
    }

    fn cpu_us(&self, meter: &Meter) -> u64 {
        meter.cpu_us().unwrap_or(self.asked_cpu_us)
    }

    async fn ask(&mut self) {
        let Some((cpu_us, memory_bytes)) = engine_counts(&self.docker, &self.id).await else { return };
        self.asked_cpu_us = self.asked_cpu_us.max(cpu_us);
        self.memory_seen_bytes = self.memory_seen_bytes.max(memory_bytes);
    }
}

/// What the engine says of a container: its processor time in microseconds, and its memory in bytes.
pub async fn engine_counts(docker: &Docker, id: &str) -> Option<(u64, u64)> {
    let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
    let mut answers = Box::pin(docker.stats(id, Some(options)));
    let Ok(Some(Ok(stats))) = tokio::time::timeout(QUESTION_WAIT, answers.next()).await else { return None };
    let used_ns = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|usage| usage.total_usage);
    let memory_bytes = stats.memory_stats.and_then(|memory| memory.usage);
    Some((used_ns.unwrap_or(0) / 1_000, memory_bytes.unwrap_or(0)))
}

/// Processor time that fits the wall time: one core cannot work for longer than the clock ran (threat M1).
fn plausible_cpu_us(cpu_us: u64, wall_us: u64) -> u64 {
    let most_us = wall_us.saturating_add(CPU_SLACK_US);
    if cpu_us > most_us {
        tracing::warn!(cpu_us, wall_us, "a counter of processor time ran ahead of the clock");
    }
    cpu_us.min(most_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_processor_time_is_checked_against_the_clock() {
        assert_eq!(plausible_cpu_us(900_000, 1_000_000), 900_000);
        assert_eq!(plausible_cpu_us(1_020_000, 1_000_000), 1_020_000, "readings are not simultaneous");
        assert_eq!(plausible_cpu_us(9_000_000, 1_000_000), 1_050_000);
    }
}
