//! One task: a container made, started, fed, heard, watched, and gone.

mod streams;
mod watching;

use crate::{
    create::{self, Allowed, Container, Network, bind},
    engine::Found,
    gpus::{InUse, Passed},
    images::{Images, lost},
    slots::Slot,
};
use bollard::{
    Docker,
    container::AttachContainerResults,
    errors::Error as EngineError,
    models::ContainerState,
    query_parameters::{
        AttachContainerOptionsBuilder, CreateContainerOptions, InspectContainerOptions,
        RemoveContainerOptionsBuilder, StartContainerOptions,
    },
};
use opensky_executor::{
    call::arguments,
    scratch::{CollectError, Scratch},
};
use opensky_ports::{
    blobs::BlobStore,
    executor::{LogSink, WorkBatch, WorkItem, WorkResult},
};
use opensky_types::{
    resources::{FUEL_PER_CPU_US, Limit, Usage},
    task::{Content, Failure, Outcome, TaskOutput},
};
use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};
use streams::Streams;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use watching::Watching;

pub use watching::engine_counts;

/// How long the engine may take to notice that a container ended.
const END_WAIT: Duration = Duration::from_secs(10);
/// What a program ends with that was killed (128 and SIGKILL).
pub const KILLED: i64 = 137;
/// How long the engine may take to learn why.
const REASON_WAIT: Duration = Duration::from_millis(300);
/// Time between two looks at that.
const END_LOOK: Duration = Duration::from_millis(5);

/// What tasks of a batch have in common.
pub struct Call<'a> {
    pub engine: &'a Found,
    pub images: &'a Images,
    pub blobs: &'a Arc<dyn BlobStore>,
    /// Removes containers beside the next task.
    pub cleaner: &'a TaskTracker,
    pub owner: &'a str,
    /// GPUs that containers have now.
    pub gpus: &'a InUse,
    pub batch: &'a WorkBatch,
}

/// What a program that ended by itself left: exit code, files, and how many bytes they have.
type Ended = (i32, Vec<(String, Content)>, u64);

/// How a container came to its end.
enum End {
    /// Its program ended.
    Over,
    /// It has to be ended, and this is why.
    Stopped(Failure),
}

impl Call<'_> {
    /// Runs one task to its end, whatever happens.
    pub async fn run(
        &self,
        slot: &mut Slot,
        item: &WorkItem,
        sink: &dyn LogSink,
        stop: [&CancellationToken; 2],
    ) -> WorkResult {
        let mut streams = Streams::new(Arc::clone(self.blobs), self.batch.limits.output_bytes);
        let mut watching =
            Watching::new(self.batch.limits, self.batch.gpus.len(), self.engine.docker.clone());
        let ended = self.to_the_end(slot, item, sink, stop, (&mut streams, &mut watching)).await;
        let (ended, files_bytes) = match ended {
            Ok((code, files, bytes)) => (Ok((code, files)), bytes),
            Err(failure) => (Err(failure), 0),
        };
        let usage = watching.usage(&slot.meter);
        let usage = Usage {
            input_bytes: streams.input_bytes,
            output_bytes: streams.output_bytes().saturating_add(files_bytes),
            ..usage
        };
        let (stdout, stderr, kept) = streams.finish().await;
        let outcome = match (ended, kept) {
            (Ok((exit_code, files)), Ok(())) => {
                Outcome::Exited(TaskOutput { exit_code, stdout, stderr, files })
            }
            (Err(failure), _) | (Ok(_), Err(failure)) => Outcome::Failed { failure, stdout, stderr },
        };
        WorkResult { key: item.key, outcome, usage }
    }

    async fn to_the_end(
        &self,
        slot: &mut Slot,
        item: &WorkItem,
        sink: &dyn LogSink,
        stop: [&CancellationToken; 2],
        (streams, watching): (&mut Streams, &mut Watching),
    ) -> Result<Ended, Failure> {
        let args = arguments(&self.batch.program.args, &self.batch.program.env, &item.input.item)?;
        create::check_texts(&args, &self.batch.program.env)?;
        recreate(&slot.scratch).await?;
        let gpus = self.gpus.take(&self.batch.gpus)?;
        watching.hold_gpus();
        let has_stdin = !item.input.stdin.is_empty();
        let id = self.create(slot, args, has_stdin, stop).await?;
        // However this ends, also if its future is dropped, the container goes.
        let removal = Removal { call: self, id: Some(&id) };
        let ended = self.in_container(&id, slot, item, (sink, stop), (streams, watching)).await;
        // It may run still, and write into the folders of the next task.
        if ended.is_err() && !removal.now().await {
            slot.stuck = Some((self.engine.docker.clone(), id, gpus));
        }
        ended
    }

    async fn in_container(
        &self,
        id: &str,
        slot: &mut Slot,
        item: &WorkItem,
        (sink, stop): (&dyn LogSink, [&CancellationToken; 2]),
        (streams, watching): (&mut Streams, &mut Watching),
    ) -> Result<Ended, Failure> {
        let attached = attach(&self.engine.docker, id, !item.input.stdin.is_empty()).await?;
        slot.meter.begin();
        watching.begin(id);
        self.engine.docker.start_container(id, None::<StartContainerOptions>).await.map_err(unstartable)?;
        let contents = item.input.stdin.clone();
        let end = streams.run(attached, contents, (item.key, sink), stop, (watching, slot)).await;
        watching.end();
        match end {
            End::Stopped(failure) => Err(failure),
            End::Over => {
                let state = state_at_end(&self.engine.docker, id).await?;
                let peak_bytes = slot.meter.memory_peak_bytes();
                if self.engine.is_out_of_memory(&state, peak_bytes, self.batch.limits.memory_bytes) {
                    return Err(Failure::Limit { limit: Limit::Memory });
                }
                watching.check(slot).await?;
                let (files, bytes) = self.outputs(&slot.scratch).await?;
                Ok((exit_code(&state), files, bytes))
            }
        }
    }

    /// Makes the container. An image that somebody took out of the engine is brought there again.
    async fn create(
        &self,
        slot: &Slot,
        args: Vec<String>,
        has_stdin: bool,
        stop: [&CancellationToken; 2],
    ) -> Result<String, Failure> {
        let limits = &self.batch.limits;
        create::check_memory(limits.memory_bytes)?;
        let runtime = self.engine.runtime_for(self.batch.program.needs.isolation)?;
        let gpus = Passed::new(&self.engine.gpus, &self.batch.gpus)?;
        let mut is_second_try = false;
        loop {
            let image = tokio::select! {
                biased;
                () = stop[0].cancelled() => return Err(Failure::Cancelled),
                () = stop[1].cancelled() => return Err(Failure::Cancelled),
                ensured = self.image() => ensured?,
            };
            let body = create::create(Container {
                image: &image,
                entrypoint: None,
                args: args.clone(),
                env: &self.batch.program.env,
                allowed: Allowed::task(limits),
                has_stdin,
                mounts: vec![
                    bind(&slot.scratch.tmp_dir(), "/tmp", false),
                    bind(&slot.scratch.out_dir(), "/out", false),
                ],
                private_folder: None,
                network: Network::None,
                owner: self.owner,
                cgroup_parent: self.engine.makes_cgroups.then(|| slot.meter.group()),
                runtime: runtime.clone(),
                user: create::user(),
                gpus: &gpus,
                is_podman: self.engine.is_podman,
                user_processes_max: self.engine.user_processes_max,
            });
            match self.engine.docker.create_container(None::<CreateContainerOptions>, body).await {
                Ok(created) => return Ok(created.id),
                Err(EngineError::DockerResponseServerError { status_code: 404, .. }) if !is_second_try => {
                    self.images.forget(&image);
                    is_second_try = true;
                }
                Err(error) => return Err(not_created(error)),
            }
        }
    }

    /// The image's name. GPUs wait for it no longer than the program may take.
    async fn image(&self) -> Result<String, Failure> {
        let ensured = self.images.ensure(self.engine, &self.batch.program);
        if self.batch.gpus.is_empty() {
            return ensured.await;
        }
        let most = Duration::from_millis(self.batch.limits.wall_ms);
        let late = |_| Err(Failure::Limit { limit: Limit::Time });
        tokio::time::timeout(most, ensured).await.unwrap_or_else(late)
    }

    async fn outputs(&self, scratch: &Arc<Scratch>) -> Result<(Vec<(String, Content)>, u64), Failure> {
        let (scratch, limit_bytes) = (Arc::clone(scratch), self.batch.limits.output_bytes);
        streams::collect(scratch, Arc::clone(self.blobs), limit_bytes).await.map_err(|error| match error {
            CollectError::Limit(limit) => Failure::Limit { limit },
            CollectError::Name { message } => Failure::InvalidProgram { message },
            CollectError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Failure::InvalidProgram { message: "it took away the right to read its outputs".into() }
            }
            CollectError::Io(error) => {
                Failure::ProviderStopped { message: format!("the outputs cannot be read: {error}") }
            }
        })
    }
}

/// Removes a container, beside the next task when it is dropped.
struct Removal<'a> {
    call: &'a Call<'a>,
    id: Option<&'a str>,
}

impl Removal<'_> {
    /// Ends the container; `false` if it may still be there.
    async fn now(mut self) -> bool {
        match self.id.take() {
            Some(id) => remove(&self.call.engine.docker, id).await,
            None => true,
        }
    }
}

impl Drop for Removal<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.map(str::to_owned) {
            let docker = self.call.engine.docker.clone();
            self.call.cleaner.spawn(async move { remove(&docker, &id).await });
        }
    }
}

/// The streams of a container that has not started yet.
pub async fn attach(docker: &Docker, id: &str, has_stdin: bool) -> Result<AttachContainerResults, Failure> {
    let options = AttachContainerOptionsBuilder::default()
        .stdin(has_stdin)
        .stdout(true)
        .stderr(true)
        .stream(true)
        .build();
    docker.attach_container(id, Some(options)).await.map_err(|error| lost(&error))
}

/// How the program ended. Its streams close a moment before the engine knows, and of one that was killed the engine
/// may know a moment later only that it was for its memory.
pub async fn state_at_end(docker: &Docker, id: &str) -> Result<ContainerState, Failure> {
    let ended = ended(docker, id).await?;
    if ended.exit_code != Some(KILLED) || ended.oom_killed == Some(true) {
        return Ok(ended);
    }
    tokio::time::sleep(REASON_WAIT).await;
    // Without another word it is what was seen.
    Ok(look_at(docker, id).await.ok().flatten().unwrap_or(ended))
}

async fn ended(docker: &Docker, id: &str) -> Result<ContainerState, Failure> {
    let asked = Instant::now();
    loop {
        match look_at(docker, id).await? {
            Some(state) if state.running != Some(true) => return Ok(state),
            Some(_) | None => {}
        }
        if asked.elapsed() > END_WAIT {
            let message = "the container closed its outputs and goes on".to_owned();
            return Err(Failure::WorkerLost { message });
        }
        tokio::time::sleep(END_LOOK).await;
    }
}

/// How a container is; none while Podman clears up after it, which it calls by a name of its own.
async fn look_at(docker: &Docker, id: &str) -> Result<Option<ContainerState>, Failure> {
    match docker.inspect_container(id, None::<InspectContainerOptions>).await {
        Ok(inspected) => Ok(Some(inspected.state.unwrap_or_default())),
        Err(EngineError::JsonDataError { message, .. }) if message.contains("`stopped`") => Ok(None),
        Err(error) => Err(lost(&error)),
    }
}

pub fn exit_code(state: &ContainerState) -> i32 {
    state.exit_code.and_then(|code| i32::try_from(code).ok()).unwrap_or(-1)
}

/// Ends and removes a container; `false` if it may still be there.
pub async fn remove(docker: &Docker, id: &str) -> bool {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match docker.remove_container(id, Some(options)).await {
        Ok(()) | Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => true,
        Err(error) => {
            tracing::warn!(id, %error, "a container could not be removed");
            false
        }
    }
}

/// Empty folders that belong to whom the program runs as.
pub async fn recreate(scratch: &Arc<Scratch>) -> Result<(), Failure> {
    let scratch = Arc::clone(scratch);
    let recreated = tokio::task::spawn_blocking(move || {
        scratch.recreate()?;
        let (user, group) = create::user();
        for folder in [scratch.tmp_dir(), scratch.out_dir()] {
            std::os::unix::fs::chown(folder, Some(user), Some(group))?;
        }
        io::Result::Ok(())
    });
    let recreated = recreated.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
    recreated.map_err(|error| Failure::ProviderStopped { message: format!("no scratch folder: {error}") })
}

/// What the engine says when it makes no container: mostly that something is wrong with itself.
pub fn not_created(error: EngineError) -> Failure {
    match error {
        EngineError::DockerResponseServerError { message, .. } if message.contains("not a directory") => {
            Failure::InvalidProgram { message }
        }
        EngineError::DockerResponseServerError { status_code: 400..500, message } => {
            Failure::ProviderStopped { message: format!("the engine makes no container: {message}") }
        }
        other => lost(&other),
    }
}

/// What the engine says when a container does not start: mostly that there is no such program in it.
pub fn unstartable(error: EngineError) -> Failure {
    match error {
        EngineError::DockerResponseServerError { message, .. } if message.contains("exec") => {
            Failure::InvalidProgram { message }
        }
        other => lost(&other),
    }
}

/// An item that was never begun.
pub fn cancelled(key: u64) -> WorkResult {
    without_a_run(key, Failure::Cancelled)
}

/// An item for which there is no engine or no slot any more.
pub fn no_engine(key: u64) -> WorkResult {
    without_a_run(
        key,
        Failure::ProviderStopped { message: "nothing can run containers here right now".into() },
    )
}

fn without_a_run(key: u64, failure: Failure) -> WorkResult {
    let outcome = Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() };
    WorkResult { key, outcome, usage: Usage::default() }
}

/// Fuel that processor time counts as.
pub fn fuel_of(cpu_us: u64) -> u64 {
    cpu_us.saturating_mul(FUEL_PER_CPU_US)
}
