//! A consumer in this process and providers in processes of their own, on loopback.

use crate::{
    node::{self, Role, Running},
    process::{self, Cpu},
};
use anyhow::{Context, Result, bail, ensure};
use opensky_node::JobEvent;
use opensky_types::{
    JobId,
    job::{Blob, JobSpec, JobState, LevelReason, Needs, Program, Retry, StageInputs, StageSpec, Verify},
    offer::Constraints,
    place::Level,
    resources::TaskLimits,
};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::broadcast::error::RecvError,
    time::{sleep, timeout},
};

/// How long providers may take to be seen.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a node may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long one job may take.
const JOB_TIMEOUT: Duration = Duration::from_secs(900);

/// The sky.
pub struct Sky {
    pub consumer: Running,
    providers: Vec<Child>,
    folder: TempDir,
}

impl Sky {
    /// Starts a consumer that shares nothing and `providers` with `slots` each, and waits until it
    /// knows their offers.
    pub async fn start(providers: u8, slots: u16) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let nonce = u64::from(std::process::id());
        let role = |number: u8, slots, bootstrap| {
            let folder = folder.path().join(number.to_string());
            std::fs::create_dir(&folder).map(|()| Role { number, nonce, slots, bootstrap, folder })
        };
        let consumer = node::start(&role(1, 0, None)?).await?;
        let entrance = consumer.entrance().await?;
        let mut children = Vec::new();
        for number in 2..2 + providers {
            children.push(spawn(&role(number, slots, Some(entrance.clone()))?)?);
        }
        let sky = Self { consumer, providers: children, folder };
        timeout(START_TIMEOUT, sky.meet(slots)).await.context("the providers were not seen in time")??;
        Ok(sky)
    }

    async fn meet(&self, slots: u16) -> Result<()> {
        loop {
            let offers = self.consumer.handle.offers().await?;
            let sharing = offers.iter().filter(|view| view.offer.slots_total == slots).count();
            if sharing >= self.providers.len() {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a job to its end; answers how long that took from the call on.
    pub async fn run(&self, spec: JobSpec) -> Result<(JobId, Duration)> {
        let mut events = self.consumer.handle.watch();
        let start = Instant::now();
        let job = self.consumer.handle.submit(spec).await?;
        let ending = async {
            loop {
                match events.recv().await {
                    Ok(JobEvent::Changed { job: changed, state }) if changed == job && state.is_final() => {
                        return Ok(state);
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => bail!("the node has stopped"),
                }
            }
        };
        let state = timeout(JOB_TIMEOUT, ending).await.context("the job did not end in time")??;
        let took = start.elapsed();
        if state != JobState::Succeeded {
            let notes = self.consumer.handle.notes(job).await?;
            let last: Vec<String> =
                notes.iter().rev().take(5).map(|note| format!("{:?}", note.reason)).collect();
            bail!("the job ended as {state:?}: {}", last.join("; "));
        }
        Ok((job, took))
    }

    /// Where the first provider listens, as multiaddresses, and its process.
    pub fn provider(&self) -> Result<(Vec<String>, u32)> {
        let listening = std::fs::read_to_string(self.folder.path().join("2").join(node::LISTENING))?;
        let process = self.providers.first().and_then(Child::id).context("the provider has ended")?;
        Ok((listening.lines().map(str::to_owned).collect(), process))
    }

    /// Processor time of the consumer's process, and of all providers' together.
    pub fn cpu(&self) -> Result<(Cpu, Cpu)> {
        let own = process::cpu(std::process::id())?;
        // The providers are this process's children: they are counted on their own.
        let consumer = Cpu { own: own.own, children: 0.0 };
        let mut providers = Cpu::default();
        for child in &self.providers {
            providers = providers.plus(process::cpu(child.id().context("a provider has ended")?)?);
        }
        Ok((consumer, providers))
    }

    /// Ends all nodes in order.
    pub async fn stop(self) -> Result<()> {
        self.consumer.stop().await?;
        for mut child in self.providers {
            drop(child.stdin.take());
            let status = timeout(STOP_TIMEOUT, child.wait()).await.context("a provider does not end")??;
            ensure!(status.success(), "a provider failed: {status}");
        }
        Ok(())
    }
}

fn spawn(role: &Role) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("provider");
    command.args(["--number", &role.number.to_string(), "--nonce", &role.nonce.to_string()]);
    command.args(["--slots", &role.slots.to_string()]).arg("--folder").arg(&role.folder);
    if let Some(bootstrap) = &role.bootstrap {
        command.args(["--bootstrap", bootstrap]);
    }
    Ok(command.stdin(Stdio::piped()).kill_on_drop(true).spawn()?)
}

/// The program that does nothing.
pub const NOOP: &[u8] = include_bytes!("../../examples/programs/noop.wasm");

/// A function program of a blob in the store.
pub fn function(blob: Blob, name: &str) -> Program {
    Program {
        hash: blob.hash,
        size_bytes: blob.size_bytes,
        level: Level::Function,
        function: name.into(),
        args: Vec::new(),
        env: Vec::new(),
        deterministic: true,
        needs: Needs::default(),
    }
}

/// A job of one stage.
pub fn job(program: Program, inputs: StageInputs, durable: bool) -> JobSpec {
    let stage = StageSpec {
        name: "work".into(),
        program,
        inputs,
        after: Vec::new(),
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        verify: Verify::None,
        level_reason: LevelReason::Given,
        check: None,
        failures_max: 3,
        retry: Retry::default(),
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: true,
    };
    JobSpec {
        name: "bench".into(),
        stages: vec![stage],
        wait_ms: 30_000,
        deadline_ms: None,
        budget: None,
        seed: 1,
        durable,
    }
}

/// Numbers from 0 up to and without `count`.
pub fn numbers(count: u32) -> StageInputs {
    StageInputs::Numbers { from: 0, to: i64::from(count), step: 1 }
}
