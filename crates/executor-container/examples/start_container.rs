//! What a task in a container costs beside the engine's own create and start, and how many run a second.
//!
//! `cargo run --release -p opensky-executor-container --features testing --example start_container`

use bollard::{
    Docker,
    models::{ContainerCreateBody, HostConfig},
    query_parameters::{
        CreateContainerOptions, RemoveContainerOptionsBuilder, StartContainerOptions, WaitContainerOptions,
    },
};
use futures::StreamExt;
use opensky_executor_container::{Config, ContainerExecutor, testing};
use opensky_ports::{
    blobs::BlobStore,
    executor::{Executor, LogSink, LogStream, WorkBatch, WorkItem, WorkResult},
    testing::MemoryBlobs,
};
use opensky_types::{
    Hash,
    job::{Needs, Program},
    place::Level,
    resources::TaskLimits,
    task::{Outcome, TaskInput},
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Rounds of one task ours and one container of the engine.
const ROUNDS: usize = 30;
/// Tasks that run side by side on two slots.
const TOGETHER: u64 = 40;

#[tokio::main]
async fn main() {
    let Some(archive) = testing::busybox() else {
        println!("skipped: there is no {}", testing::BUSYBOX);
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Arc::new(MemoryBlobs::new(1 << 30));
    let image = blobs.put(&archive).expect("room for it");
    let config = Config {
        sockets: Vec::new(),
        runtime: None,
        registries: Vec::new(),
        gpus: Vec::new(),
        look_every: Duration::from_secs(5),
        slots: 2,
        scratch_dir: folder.path().join("scratch"),
        volumes_dir: folder.path().join("volumes"),
        images_cap_bytes: 4 << 30,
        owner: "bench".to_owned(),
    };
    let executor = ContainerExecutor::start(config, blobs).await.expect("folders can be made");
    let Some(engine) = executor.engines().pop() else {
        println!("skipped: no container engine answers");
        return;
    };
    println!("{}", engine.name);
    let docker = Docker::connect_with_unix_defaults().expect("it answers");
    let name = format!("opensky/image:{}", image.hash);
    run(&executor, batch(image.hash, image.size_bytes, 1)).await;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        run(&executor, batch(image.hash, image.size_bytes, 1)).await;
        ours.push(started.elapsed());
        bare.push(run_bare(&docker, &name).await);
    }
    let (ours, bare) = (median(ours), median(bare));
    println!("a task: {ours:.1?} at the median; the engine's own create, start and wait: {bare:.1?}");
    println!("ratio {:.2} (goal: at most 1.1)", ours.as_secs_f64() / bare.as_secs_f64());
    let started = Instant::now();
    let half = || run(&executor, batch(image.hash, image.size_bytes, TOGETHER / 2));
    tokio::join!(half(), half());
    println!("{:.1} tasks/s on two slots", TOGETHER as f64 / started.elapsed().as_secs_f64());
    executor.shut_down().await;
}

fn batch(hash: Hash, size_bytes: u64, tasks: u64) -> WorkBatch {
    let program = Program {
        hash,
        size_bytes,
        level: Level::Container,
        function: String::new(),
        args: vec!["true".to_owned()],
        env: Vec::new(),
        deterministic: false,
        needs: Needs::default(),
    };
    let item = |key| WorkItem { key, input: TaskInput { item: String::new(), stdin: Vec::new() } };
    WorkBatch {
        program,
        seed: 0,
        limits: TaskLimits::default(),
        gpus: Vec::new(),
        items: (0..tasks).map(item).collect(),
    }
}

async fn run(executor: &ContainerExecutor, batch: WorkBatch) {
    let ended = Ended::default();
    executor.run(batch, &ended, CancellationToken::new()).await;
    for result in ended.0.into_inner().expect("nobody panics with it") {
        assert!(matches!(result.outcome, Outcome::Exited(_)), "{:?}", result.outcome);
    }
}

/// The same program, without limits or walls, by the engine alone.
async fn run_bare(docker: &Docker, image: &str) -> Duration {
    let started = Instant::now();
    let host_config = HostConfig { network_mode: Some("none".to_owned()), ..HostConfig::default() };
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    };
    let created = docker.create_container(None::<CreateContainerOptions>, body).await.expect("it is created");
    docker.start_container(&created.id, None::<StartContainerOptions>).await.expect("it starts");
    let mut waiting = Box::pin(docker.wait_container(&created.id, None::<WaitContainerOptions>));
    while waiting.next().await.is_some() {}
    let took = started.elapsed();
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(&created.id, Some(options)).await.expect("it is removed");
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[derive(Default)]
struct Ended(Mutex<Vec<WorkResult>>);

impl LogSink for Ended {
    fn written(&self, _key: u64, _stream: LogStream, _bytes: &[u8]) {}

    fn ended(&self, result: WorkResult) {
        self.0.lock().expect("nobody panics with it").push(result);
    }
}
