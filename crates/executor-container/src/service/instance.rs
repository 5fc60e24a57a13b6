//! What the owner of a replica holds.

use super::door::Door;
use crate::{
    meter::Meter,
    task::{engine_counts, fuel_of},
};
use async_trait::async_trait;
use bollard::Docker;
use opensky_ports::{ByteStream, Instance, InstanceEnd, KeptLog, LogStream};
use opensky_types::{resources::Usage, task::Failure};
use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How far past the wall time of its cores the counter of a program can be: readings are not simultaneous.
const CPU_SLACK_US: u64 = 50_000;

/// One replica that was started. Its [`super::life::Life`] does the work.
pub struct Replica {
    pub log: KeptLog,
    pub door: Arc<Door>,
    pub measure: Measure,
    /// How it ended.
    end: watch::Sender<Option<InstanceEnd>>,
    /// The time that it gets to end, once it was asked to.
    asked: watch::Sender<Option<Duration>>,
    /// Nothing is left of it, or what is left has to wait for the engine.
    pub cleared: CancellationToken,
}

/// What a replica uses.
pub struct Measure {
    docker: Docker,
    /// The container's name.
    name: String,
    meter: Mutex<Meter>,
    cores: u16,
    began: Instant,
    memory_seen_bytes: AtomicU64,
    /// How often it was looked at.
    looks: AtomicU64,
    /// What it had used when it ended.
    ended: OnceLock<Usage>,
}

impl Replica {
    pub fn new(door: Arc<Door>, measure: Measure) -> Self {
        Self {
            log: KeptLog::default(),
            door,
            measure,
            end: watch::Sender::new(None),
            asked: watch::Sender::new(None),
            cleared: CancellationToken::new(),
        }
    }

    /// Asks it to end. The first that asks says how long it gets.
    pub fn ask_to_end(&self, grace: Duration) {
        self.asked.send_if_modified(|asked| {
            let is_first = asked.is_none();
            asked.get_or_insert(grace);
            is_first
        });
    }

    /// Waits until it is asked to end.
    pub async fn asked(&self) -> Duration {
        let mut asked = self.asked.subscribe();
        let asked = asked.wait_for(Option::is_some).await;
        asked.ok().and_then(|asked| *asked).unwrap_or_default()
    }

    /// It has ended.
    pub fn set_end(&self, end: InstanceEnd) {
        self.end.send_replace(Some(end));
        self.log.end();
    }

    fn has_ended(&self) -> bool {
        self.end.borrow().is_some()
    }
}

impl Measure {
    /// The program starts now.
    pub fn begin(docker: Docker, name: String, mut meter: Meter, cores: u16) -> Self {
        meter.begin();
        Self {
            docker,
            name,
            meter: Mutex::new(meter),
            cores,
            began: Instant::now(),
            memory_seen_bytes: AtomicU64::new(0),
            looks: AtomicU64::new(0),
            ended: OnceLock::new(),
        }
    }

    /// One of the regular looks.
    pub fn look(&self) {
        let memory_bytes = self.with_meter(|meter| meter.memory_bytes()).unwrap_or(0);
        self.memory_seen_bytes.fetch_max(memory_bytes, Ordering::Relaxed);
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    pub fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    /// Keeps what was used so far, while the counters are there.
    pub async fn end(&self) {
        let usage = self.usage().await;
        self.ended.get_or_init(|| usage);
    }

    /// Removes the counters; `false` if some stay.
    pub fn clear(&self) -> bool {
        self.with_meter(|meter| meter.remove())
    }

    /// Most memory that the program had, in bytes, where the kernel says.
    pub fn peak_bytes(&self) -> Option<u64> {
        self.with_meter(Meter::memory_peak_bytes)
    }

    fn with_meter<T>(&self, look: impl FnOnce(&Meter) -> T) -> T {
        look(&self.meter.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn usage(&self) -> Usage {
        if let Some(usage) = self.ended.get() {
            return *usage;
        }
        let mut cpu_us = self.with_meter(Meter::cpu_us);
        if cpu_us.is_none()
            && let Some((asked_cpu_us, memory_bytes)) = engine_counts(&self.docker, &self.name).await
        {
            cpu_us = Some(asked_cpu_us);
            self.memory_seen_bytes.fetch_max(memory_bytes, Ordering::Relaxed);
        }
        let wall_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let cpu_us_max = wall_us.saturating_mul(u64::from(self.cores)).saturating_add(CPU_SLACK_US);
        let cpu_us = cpu_us.unwrap_or(0).min(cpu_us_max);
        let seen_bytes = self.memory_seen_bytes.load(Ordering::Relaxed);
        Usage {
            fuel: fuel_of(cpu_us),
            memory_peak_bytes: self.with_meter(Meter::memory_peak_bytes).unwrap_or(seen_bytes),
            wall_us,
            cpu_us,
            ..Usage::default()
        }
    }
}

#[async_trait]
impl Instance for Replica {
    async fn ended(&self) -> InstanceEnd {
        let mut end = self.end.subscribe();
        let end = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        end.unwrap_or(InstanceEnd::Failed(Failure::Cancelled))
    }

    async fn dial(&self, port: u16) -> io::Result<ByteStream> {
        self.door.dial(port).await
    }

    async fn probe(&self, port: u16) -> io::Result<ByteStream> {
        self.door.probe(port).await
    }

    async fn command(&self, args: &[String], patience: Duration) -> Result<i32, Failure> {
        if self.has_ended() {
            return Err(Failure::WorkerLost { message: "the program has ended".into() });
        }
        self.door.command(args, patience).await
    }

    fn follow(&self) -> mpsc::Receiver<(LogStream, Vec<u8>)> {
        self.log.follow()
    }

    fn last_words(&self, bytes_max: usize) -> Vec<u8> {
        self.log.last(bytes_max)
    }

    async fn usage(&self) -> Usage {
        self.measure.usage().await
    }

    async fn stop(&self, grace: Duration) {
        self.ask_to_end(grace);
        self.cleared.cancelled().await;
    }
}
