//! A service engine whose programs are a closure.

use super::{lock, stream::LinkStream};
use crate::{
    blobs::BlobStore,
    executor::LogStream,
    service::{Instance, InstanceEnd, KeptLog, Outlet, ServiceEngine, ServiceRun},
    transport::ByteStream,
};
use async_trait::async_trait;
use opensky_types::{
    ServiceId, job::Blob, place::Level, resources::Usage, samples, service::ReplicaId, task::Failure,
};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// The exit code of a program that was asked to end and does not care: 128 and the signal's number.
const ASKED: i32 = 128 + 15;
/// That of one that was ended.
const KILLED: i32 = 128 + 9;

/// What a fake program does.
#[derive(Debug, Clone, Default)]
pub struct FakeService {
    starts: Option<Failure>,
    writes: Vec<u8>,
    serves: Option<Served>,
    ends: Option<(u64, InstanceEnd)>,
    is_stubborn: bool,
    busy_percent: u64,
}

/// What it does with who dials it.
#[derive(Debug, Clone)]
enum Served {
    /// Writes this, then each line that it reads.
    Echo(Vec<u8>),
    /// Passes everything on to an outlet and back.
    Outlet(usize),
}

impl FakeService {
    /// A program that listens on all its ports: it writes `greeting`, then each line that it reads.
    pub fn echo(greeting: impl Into<Vec<u8>>) -> Self {
        Self { serves: Some(Served::Echo(greeting.into())), ..Self::default() }
    }

    /// A program that listens on all its ports and passes everything on to an outlet and back.
    pub fn relay(outlet: usize) -> Self {
        Self { serves: Some(Served::Outlet(outlet)), ..Self::default() }
    }

    /// A program that runs and never listens.
    pub fn deaf() -> Self {
        Self::default()
    }

    /// A program that cannot be started.
    pub fn fails(failure: Failure) -> Self {
        Self { starts: Some(failure), ..Self::default() }
    }

    /// The same, but it writes this to stdout first.
    pub fn writes(self, stdout: impl Into<Vec<u8>>) -> Self {
        Self { writes: stdout.into(), ..self }
    }

    /// The same, but it ends by itself after so many milliseconds of tokio's clock.
    pub fn exits(self, code: i32, after_ms: u64) -> Self {
        self.ends(InstanceEnd::Exited(code), after_ms)
    }

    /// The same, but something ends it after so many milliseconds of tokio's clock.
    pub fn ends(self, end: InstanceEnd, after_ms: u64) -> Self {
        Self { ends: Some((after_ms, end)), ..self }
    }

    /// The same, but it does not end when it is asked to.
    pub fn stubborn(self) -> Self {
        Self { is_stubborn: true, ..self }
    }

    /// The same, but it takes so much of one core all the time, by tokio's clock.
    pub fn busy(self, percent: u64) -> Self {
        Self { busy_percent: percent, ..self }
    }
}

type Program = dyn Fn(&ServiceRun) -> FakeService + Send + Sync;

/// An engine that asks a closure what each program does. Clones share one engine.
#[derive(Clone)]
pub struct FakeServices {
    program: Arc<Program>,
    running: Arc<Mutex<BTreeMap<ReplicaId, Arc<FakeInstance>>>>,
    started: Arc<Mutex<Vec<ServiceRun>>>,
    is_away: Arc<AtomicBool>,
    volumes: Arc<Mutex<BTreeMap<(ServiceId, u16), FakeVolumes>>>,
    blobs: Option<Arc<dyn BlobStore>>,
}

/// All volumes of a slot: bytes, and the generation that wrote them.
#[derive(Debug, Clone, Default)]
struct FakeVolumes {
    generation: u64,
    bytes: Vec<u8>,
}

/// Most bytes of fake volumes.
const FAKE_VOLUMES_BYTES_MAX: u64 = 1 << 20;

impl FakeServices {
    /// An engine whose programs are `program`.
    pub fn new(program: impl Fn(&ServiceRun) -> FakeService + Send + Sync + 'static) -> Self {
        Self {
            program: Arc::new(program),
            running: Arc::default(),
            started: Arc::default(),
            is_away: Arc::default(),
            volumes: Arc::default(),
            blobs: None,
        }
    }

    /// The same with a store, so that volumes can be saved.
    pub fn with_blobs(self, blobs: Arc<dyn BlobStore>) -> Self {
        Self { blobs: Some(blobs), ..self }
    }

    /// An engine whose programs greet with their replica's name and a newline, and echo lines.
    pub fn echo() -> Self {
        Self::new(|run| FakeService::echo(format!("{}\n", run.replica)))
    }

    /// Replicas that run now, in order.
    pub fn running(&self) -> Vec<ReplicaId> {
        let running = lock(&self.running);
        running
            .values()
            .filter(|instance| !instance.has_ended())
            .map(|instance| instance.run.replica)
            .collect()
    }

    /// All that was started so far, in order, whatever became of it.
    pub fn started(&self) -> Vec<ServiceRun> {
        lock(&self.started).clone()
    }

    /// A replica's program ends by itself.
    pub fn crash(&self, replica: ReplicaId, code: i32) {
        self.instance(replica).end(InstanceEnd::Exited(code));
    }

    /// Something ends a replica.
    pub fn fail(&self, replica: ReplicaId, failure: Failure) {
        self.instance(replica).end(InstanceEnd::Failed(failure));
    }

    /// Whether a replica answers: one that does not refuses who dials it, and its commands end with 1.
    pub fn set_healthy(&self, replica: ReplicaId, healthy: bool) {
        self.instance(replica).is_healthy.store(healthy, Ordering::Relaxed);
    }

    /// A replica's program writes something.
    pub fn write(&self, replica: ReplicaId, stream: LogStream, bytes: &[u8]) {
        self.instance(replica).log.write(stream, bytes);
    }

    /// A replica's program writes this into its volumes, in the place of all that was there.
    pub fn fill(&self, replica: ReplicaId, bytes: &[u8]) {
        let mut volumes = lock(&self.volumes);
        let volumes = volumes.get_mut(&(replica.service, replica.slot)).expect("a replica with volumes runs");
        bytes.clone_into(&mut volumes.bytes);
    }

    /// What is in the volumes of a slot here.
    pub fn volumes(&self, service: ServiceId, slot: u16) -> Option<Vec<u8>> {
        lock(&self.volumes).get(&(service, slot)).map(|volumes| volumes.bytes.clone())
    }

    /// The volumes that a replica begins with: those that are here, unless others were saved later elsewhere.
    fn begin(&self, run: &ServiceRun) -> Result<(), Failure> {
        if run.volumes.is_empty() {
            return Ok(());
        }
        let mut all = lock(&self.volumes);
        let volumes = all.entry((run.replica.service, run.replica.slot)).or_default();
        if let Some(begin) = run.begin.filter(|begin| begin.id.generation > volumes.generation) {
            let blobs = self.blobs.as_ref().ok_or_else(gone)?;
            let got = blobs.get(&begin.blob.hash, FAKE_VOLUMES_BYTES_MAX).ok().flatten();
            volumes.bytes = got.ok_or_else(gone)?;
        }
        volumes.generation = run.replica.generation;
        Ok(())
    }

    /// A replica's program connects to one of its outlets; what it then says is the caller's.
    pub async fn reach(&self, replica: ReplicaId, outlet: usize) -> io::Result<ByteStream> {
        let instance = self.instance(replica);
        instance.outlet.connect(outlet).await
    }

    /// There is no engine: what runs fails, and nothing starts until it is back.
    pub fn go_away(&self) {
        self.is_away.store(true, Ordering::Relaxed);
        for instance in lock(&self.running).values() {
            instance.end(InstanceEnd::Failed(gone()));
        }
    }

    /// The engine is back.
    pub fn come_back(&self) {
        self.is_away.store(false, Ordering::Relaxed);
    }

    fn instance(&self, replica: ReplicaId) -> Arc<FakeInstance> {
        Arc::clone(lock(&self.running).get(&replica).expect("the test named a replica that was started"))
    }
}

fn gone() -> Failure {
    Failure::ProviderStopped { message: "nothing can run services here right now".into() }
}

#[async_trait]
impl ServiceEngine for FakeServices {
    fn levels(&self) -> Vec<Level> {
        vec![Level::Container]
    }

    async fn start(&self, run: ServiceRun, outlet: Arc<dyn Outlet>) -> Result<Arc<dyn Instance>, Failure> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(gone());
        }
        lock(&self.started).push(run.clone());
        self.begin(&run)?;
        let program = (self.program)(&run);
        if let Some(failure) = program.starts {
            return Err(failure);
        }
        let instance = Arc::new(FakeInstance {
            run,
            outlet,
            serves: program.serves,
            is_stubborn: program.is_stubborn,
            busy: (Instant::now(), program.busy_percent),
            is_healthy: AtomicBool::new(true),
            log: KeptLog::default(),
            end: watch::Sender::new(None),
            over: CancellationToken::new(),
        });
        instance.log.write(LogStream::Stdout, &program.writes);
        if let Some((after_ms, end)) = program.ends {
            let instance = Arc::clone(&instance);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                instance.end(end);
            });
        }
        lock(&self.running).insert(instance.run.replica, Arc::clone(&instance));
        Ok(instance)
    }

    async fn save(&self, replica: ReplicaId) -> Result<Blob, Failure> {
        let bytes = self.volumes(replica.service, replica.slot).ok_or_else(gone)?;
        let blobs = self.blobs.as_ref().ok_or_else(gone)?;
        blobs.put(&bytes).map_err(|error| Failure::ProviderStopped { message: error.to_string() })
    }

    async fn forget(&self, replica: ReplicaId, others_have_it: bool) {
        let mut volumes = lock(&self.volumes);
        let slot = (replica.service, replica.slot);
        let is_last = volumes.get(&slot).is_some_and(|volumes| volumes.generation <= replica.generation);
        if others_have_it && is_last {
            volumes.remove(&slot);
        }
    }

    async fn shut_down(&self) {
        lock(&self.running).values().for_each(|instance| instance.end(InstanceEnd::Exited(ASKED)));
    }
}

/// One fake program.
struct FakeInstance {
    run: ServiceRun,
    outlet: Arc<dyn Outlet>,
    serves: Option<Served>,
    is_stubborn: bool,
    /// When it began, and how much of a core it takes, in percent.
    busy: (Instant, u64),
    is_healthy: AtomicBool,
    log: KeptLog,
    end: watch::Sender<Option<InstanceEnd>>,
    /// Cuts its connections.
    over: CancellationToken,
}

impl FakeInstance {
    fn has_ended(&self) -> bool {
        self.over.is_cancelled()
    }

    /// The first end counts.
    fn end(&self, how: InstanceEnd) {
        self.end.send_if_modified(|end| {
            let is_first = end.is_none();
            end.get_or_insert(how);
            is_first
        });
        self.log.end();
        self.over.cancel();
    }

    fn answers(&self) -> bool {
        !self.has_ended() && self.is_healthy.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Instance for FakeInstance {
    async fn ended(&self) -> InstanceEnd {
        let mut end = self.end.subscribe();
        let end = end.wait_for(Option::is_some).await.expect("the sender is this instance's own");
        end.clone().expect("it was waited for")
    }

    async fn dial(&self, port: u16) -> io::Result<ByteStream> {
        let Some(served) = self.serves.clone().filter(|_| self.answers() && self.run.ports.contains(&port))
        else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let (ours, theirs) = LinkStream::pair(&self.over, Arc::default(), Arc::default());
        let outlet = Arc::clone(&self.outlet);
        tokio::spawn(async move {
            // Whoever dialled sees how it ended.
            let _ = serve(served, theirs, outlet.as_ref()).await;
        });
        Ok(Box::new(ours))
    }

    /// `true` and `false` do what they say; all else ends with 0 while the replica is healthy.
    async fn command(&self, args: &[String], _: Duration) -> Result<i32, Failure> {
        if self.has_ended() {
            return Err(Failure::WorkerLost { message: "it has ended".into() });
        }
        match args.first().map(String::as_str) {
            Some("true") => Ok(0),
            Some("false") => Ok(1),
            _ => Ok(i32::from(!self.answers())),
        }
    }

    fn follow(&self) -> mpsc::Receiver<(LogStream, Vec<u8>)> {
        self.log.follow()
    }

    fn last_words(&self, bytes_max: usize) -> Vec<u8> {
        self.log.last(bytes_max)
    }

    async fn usage(&self) -> Usage {
        let (began, percent) = self.busy;
        let wall_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Usage { cpu_us: wall_us.saturating_mul(percent) / 100, wall_us, ..samples::usage() }
    }

    async fn stop(&self, grace: Duration) {
        if self.has_ended() {
            return;
        }
        if self.is_stubborn {
            let _ = tokio::time::timeout(grace, self.ended()).await;
            self.end(InstanceEnd::Exited(KILLED));
        } else {
            self.end(InstanceEnd::Exited(ASKED));
        }
    }
}

async fn serve(served: Served, stream: LinkStream, outlet: &dyn Outlet) -> io::Result<()> {
    match served {
        Served::Echo(greeting) => {
            let mut stream = BufReader::new(stream);
            stream.write_all(&greeting).await?;
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).await? > 0 {
                stream.write_all(&line).await?;
                line.clear();
            }
            stream.shutdown().await
        }
        Served::Outlet(index) => {
            let (mut stream, mut other) = (stream, outlet.connect(index).await?);
            tokio::io::copy_bidirectional(&mut stream, &mut other).await.map(|_| ())
        }
    }
}
