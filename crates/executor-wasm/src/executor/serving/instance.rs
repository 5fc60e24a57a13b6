//! One component, awake or asleep.

use super::{
    Inner,
    worker::{Conveyor, NotServing, Server},
};
use crate::{
    engine::REQUESTS_MAX,
    executor::{
        cache::Artefact,
        process::{Heard, Process},
    },
    frame::{Report, Serve},
};
use async_trait::async_trait;
use opensky_executor::held::Held;
use opensky_ports::{ByteStream, Instance, InstanceEnd, KeptLog, LogStream, ServiceRun};
use opensky_types::{
    resources::{FUEL_PER_CPU_US, Usage},
    service::{Secret, SecretValue},
    task::Failure,
};
use std::{
    io,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Most connections; a worker has so many files.
const CONNECTIONS_MAX: u64 = 192;
const CONNECTIONS_MIN: u64 = 16;
/// One connection for so much of a replica's memory.
const MEMORY_PER_CONNECTION: u64 = 1 << 20;
/// Health checks at a time.
const PROBES_MAX: usize = 2;
/// Time between two looks at whether a component rests.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Programs whose artefact is made anew once.
const LOADS_MAX: u32 = 2;

/// A component that runs as a service.
pub struct Component {
    inner: Arc<Inner>,
    run: ServiceRun,
    awake: Mutex<Option<Awake>>,
    /// What it was compiled to. Held while it rests too, so that it is there for the next one who connects.
    compiled: std::sync::Mutex<Option<Arc<Artefact>>>,
    inward: Arc<Semaphore>,
    probes: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
    /// When a connection last ended, in milliseconds since `began`.
    used_ms: Arc<AtomicU64>,
    began: Instant,
    /// Of workers that have ended, and the one that runs; 0: none.
    cpu_us: AtomicU64,
    pid: AtomicU32,
    log: KeptLog,
    end: watch::Sender<Option<InstanceEnd>>,
    /// It is to end.
    over: CancellationToken,
}

/// Its worker, while it has one.
struct Awake {
    conveyor: Conveyor,
    /// Ends the worker, and with it every connection.
    sleeps: CancellationToken,
}

impl Component {
    pub async fn start(inner: Arc<Inner>, run: ServiceRun) -> Result<Arc<Self>, Failure> {
        let most = run.limits.memory_bytes / MEMORY_PER_CONNECTION;
        let component = Arc::new(Self {
            inner,
            awake: Mutex::default(),
            compiled: std::sync::Mutex::default(),
            inward: Arc::new(Semaphore::new(most.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX) as usize)),
            probes: Arc::new(Semaphore::new(PROBES_MAX)),
            open: Arc::default(),
            used_ms: Arc::default(),
            began: Instant::now(),
            cpu_us: AtomicU64::new(0),
            pid: AtomicU32::new(0),
            log: KeptLog::default(),
            end: watch::Sender::new(None),
            over: CancellationToken::new(),
            run,
        });
        let awake = component.wake().await?;
        *component.awake.lock().await = Some(awake);
        let watching = Arc::clone(&component);
        component.inner.tasks.spawn(async move { watching.watch_over().await });
        Ok(component)
    }

    /// Gets a worker, and has it load the component.
    async fn wake(self: &Arc<Self>) -> Result<Awake, Failure> {
        let compiler = &self.inner.shared.compiler;
        let program = self.run.program.hash;
        for load in 1.. {
            let artefact = compiler.artefact(program).await?;
            let mut server = self.inner.server().await?;
            match server.load(self.order(&artefact)?).await {
                Ok(()) => {
                    *self.compiled.lock().unwrap_or_else(PoisonError::into_inner) = Some(artefact);
                    return Ok(self.take_up(server));
                }
                Err(NotServing::Failure(failure)) => return Err(failure),
                Err(NotServing::Unusable { message, .. }) if load < LOADS_MAX => {
                    tracing::debug!(%program, message, "compiled component is not usable");
                    compiler.discard(program, &artefact);
                }
                Err(NotServing::Unusable { message, is_intact: true }) => {
                    return Err(Failure::InvalidProgram { message });
                }
                Err(NotServing::Unusable { message, .. }) => return Err(Failure::WorkerLost { message }),
            }
        }
        unreachable!("the loop above ends by itself")
    }

    fn order(&self, artefact: &Artefact) -> Result<Serve, Failure> {
        let ServiceRun { program, limits, secrets, .. } = &self.run;
        let variable = |(secret, value): &(Secret, SecretValue)| {
            let name = secret.env.clone()?;
            // A changed value would be worse than none.
            let text = String::from_utf8(value.expose().to_vec()).map_err(|_| {
                let message =
                    format!("the secret '{}' is no text, and a component's variables are", secret.name);
                Failure::InvalidProgram { message }
            });
            Some(text.map(|text| (name, text)))
        };
        let secret = secrets.iter().filter_map(variable).collect::<Result<Vec<_>, _>>()?;
        Ok(Serve {
            artefact_name: artefact.name.clone(),
            artefact_hash: artefact.hash,
            args: program.args.clone(),
            env: program.env.iter().cloned().chain(secret).collect(),
            memory_bytes: limits.memory_bytes,
            threads: limits.cpu_cores,
            requests_max: REQUESTS_MAX,
            request_fuel: self.inner.config.request.fuel,
            request_ms: self.inner.config.request.wall_ms,
        })
    }

    /// Listens to a worker from now on.
    fn take_up(self: &Arc<Self>, server: Server) -> Awake {
        let Server { process, conveyor } = server;
        let sleeps = self.over.child_token();
        let (component, asked) = (Arc::clone(self), sleeps.clone());
        self.inner.tasks.spawn(async move { component.listen(process, asked).await });
        Awake { conveyor, sleeps }
    }

    /// Hears a worker until it ends, because it is to or by itself.
    async fn listen(self: Arc<Self>, mut process: Process, asked: CancellationToken) {
        let pid = process.pid().unwrap_or_default();
        self.pid.store(pid, SeqCst);
        let lost = loop {
            let heard = tokio::select! {
                () = asked.cancelled() => break None,
                () = self.inner.shared.stopping.cancelled() => break None,
                heard = process.hear() => heard,
            };
            match heard {
                Heard::Report(Report::Output { is_stderr, bytes }) => {
                    self.log.write(if is_stderr { LogStream::Stderr } else { LogStream::Stdout }, &bytes);
                }
                Heard::Report(Report::Fatal { message }) | Heard::Lost { message } => break Some(message),
                Heard::Report(_) => break Some("a report out of place".to_owned()),
            }
        };
        // Another worker may run already.
        let _ = self.pid.compare_exchange(pid, 0, SeqCst, SeqCst);
        self.cpu_us.fetch_add(cpu_us_of(pid).unwrap_or_default(), SeqCst);
        process.kill().await;
        if let Some(message) = lost {
            asked.cancel();
            self.end_with(InstanceEnd::Failed(Failure::WorkerLost { message }));
        }
    }

    /// Puts it to sleep while nobody is connected, until it ends.
    async fn watch_over(self: Arc<Self>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => self.rest_if_idle().await,
                () = self.over.cancelled() => break,
                () = self.inner.shared.stopping.cancelled() => break,
            }
        }
        self.end_with(InstanceEnd::Exited(0));
    }

    async fn rest_if_idle(&self) {
        let Some(idle) = self.run.idle else { return };
        let is_idle = || {
            let rested_ms = self.now_ms().saturating_sub(self.used_ms.load(SeqCst));
            self.open.load(SeqCst) == 0 && u128::from(rested_ms) >= idle.as_millis()
        };
        if !is_idle() {
            return;
        }
        // Whoever dials holds this until it is counted.
        let mut awake = self.awake.lock().await;
        if is_idle()
            && let Some(awake) = awake.take()
        {
            tracing::debug!(replica = %self.run.replica, "a component rests");
            awake.sleeps.cancel();
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The first end counts.
    fn end_with(&self, how: InstanceEnd) {
        self.end.send_if_modified(|end| {
            let is_first = end.is_none();
            end.get_or_insert(how);
            is_first
        });
        self.over.cancel();
        self.log.end();
    }

    async fn connect(self: &Arc<Self>, room: &Arc<Semaphore>, port: u16) -> io::Result<ByteStream> {
        if self.over.is_cancelled() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if !self.run.ports.contains(&port) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let permit = Arc::clone(room).try_acquire_owned();
        let permit = permit.map_err(|_| io::Error::other("it has too many connections"))?;
        let mut awake = self.awake.lock().await;
        if awake.as_ref().is_none_or(|awake| awake.sleeps.is_cancelled()) {
            match self.wake().await {
                Ok(woken) => *awake = Some(woken),
                Err(failure) => {
                    // Whoever keeps it decides whether and where it starts again.
                    self.end_with(InstanceEnd::Failed(failure.clone()));
                    return Err(io::Error::other(failure.to_string()));
                }
            }
        }
        let Some(worker) = awake.as_ref() else { return Err(io::ErrorKind::NotConnected.into()) };
        let stream = worker.conveyor.connect().await?;
        Ok(Box::new(Held::new(stream, &worker.sleeps, (Counted::new(self), permit))))
    }
}

/// A component as the node holds it: it can be woken from behind a plain reference.
pub struct Handle(pub Arc<Component>);

#[async_trait]
impl Instance for Handle {
    async fn ended(&self) -> InstanceEnd {
        let mut end = self.0.end.subscribe();
        let end = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        end.unwrap_or(InstanceEnd::Failed(Failure::Cancelled))
    }

    async fn dial(&self, port: u16) -> io::Result<ByteStream> {
        self.0.connect(&self.0.inward, port).await
    }

    async fn probe(&self, port: u16) -> io::Result<ByteStream> {
        self.0.connect(&self.0.probes, port).await
    }

    async fn command(&self, _: &[String], _: Duration) -> Result<i32, Failure> {
        Err(Failure::InvalidProgram { message: "a component has no commands beside it".into() })
    }

    fn follow(&self) -> mpsc::Receiver<(LogStream, Vec<u8>)> {
        self.0.log.follow()
    }

    fn last_words(&self, bytes_max: usize) -> Vec<u8> {
        self.0.log.last(bytes_max)
    }

    async fn usage(&self) -> Usage {
        let now = Some(self.0.pid.load(SeqCst)).filter(|pid| *pid > 0).and_then(cpu_us_of);
        let cpu_us = self.0.cpu_us.load(SeqCst).saturating_add(now.unwrap_or_default());
        let wall_us = u64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Usage { fuel: cpu_us.saturating_mul(FUEL_PER_CPU_US), wall_us, cpu_us, ..Usage::default() }
    }

    async fn stop(&self, grace: Duration) {
        let component = &self.0;
        let quiet = async {
            while component.open.load(SeqCst) > 0 && !component.over.is_cancelled() {
                tokio::time::sleep(LOOK_EVERY.min(Duration::from_millis(20))).await;
            }
        };
        // Whoever is still connected then is cut off.
        let _ = tokio::time::timeout(grace, quiet).await;
        component.end_with(InstanceEnd::Exited(0));
        component.awake.lock().await.take();
    }
}

/// Processor time of a process so far (proc(5): `utime` and `stime`, in ticks).
fn cpu_us_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything, spaces and brackets too.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks.saturating_mul(1_000_000) / rustix::param::clock_ticks_per_second())
}

/// Counts a connection as long as it lives.
struct Counted {
    open: Arc<AtomicUsize>,
    used_ms: Arc<AtomicU64>,
    began: Instant,
}

impl Counted {
    fn new(component: &Component) -> Self {
        component.open.fetch_add(1, SeqCst);
        Self { open: component.open.clone(), used_ms: component.used_ms.clone(), began: component.began }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used_ms.fetch_max(now_ms, SeqCst);
        self.open.fetch_sub(1, SeqCst);
    }
}
