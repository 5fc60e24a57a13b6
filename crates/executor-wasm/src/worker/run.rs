//! The loop of a worker that runs tasks.

use super::{
    Link, outputs,
    program::{Program, Programs, Unusable},
    task::{Done, Task},
    watchdog::Watchdog,
};
use crate::{
    frame::{Ended, Ending, Order, Prepare, Report, Stdin},
    sandbox,
};
use opensky_executor::scratch::{CollectError, Scratch};
use opensky_types::{place::Level, resources::Limit, task::Failure};
use rustix::time::{ClockId, clock_gettime};
use std::{path::PathBuf, sync::Arc, time::Instant};
use wasmtime::Engine;

/// A worker that runs tasks, one after the other.
pub struct Worker {
    engine: Engine,
    link: Link,
    watchdog: Watchdog,
    scratch: Arc<Scratch>,
    programs: Programs,
}

impl Worker {
    pub fn new(
        engine: Engine,
        link: Link,
        watchdog: Watchdog,
        cache_dir: PathBuf,
        scratch_dir: PathBuf,
    ) -> Result<Self, String> {
        let programs = Programs::new(engine.clone(), cache_dir).map_err(|error| format!("{error:#}"))?;
        Ok(Self { engine, link, watchdog, scratch: Arc::new(Scratch::new(&scratch_dir)), programs })
    }

    /// Takes orders until the executor hangs up.
    pub async fn serve(mut self) -> Result<(), String> {
        let mut program = None;
        while let Some(order) = self.link.next_order() {
            match order {
                Order::Prepare(spec) => match self.prepare(*spec) {
                    Ok(prepared) => program = Some(prepared),
                    Err(Unusable { message, is_intact }) => {
                        self.link.outbox.send(&Report::Unusable { message, is_intact });
                        self.link.outbox.flush();
                        return Ok(());
                    }
                },
                Order::Run { item, stdin } => {
                    let program = program.as_ref().ok_or("a task came before its program")?;
                    self.run(program, item, stdin).await?;
                }
                other => return Err(format!("a worker that runs tasks got another order: {other:?}")),
            }
        }
        Ok(())
    }

    fn prepare(&mut self, spec: Prepare) -> Result<Program, Unusable> {
        if spec.level == Level::Vm {
            sandbox::limit_file_bytes(spec.limits.scratch_bytes);
        }
        self.programs.prepare(spec)
    }

    async fn run(&self, program: &Program, item: String, stdin: Stdin) -> Result<(), String> {
        self.watchdog.task_starts();
        let started = Instant::now();
        let cpu_before = cpu_us();
        let task =
            Task { engine: &self.engine, program, link: &self.link, scratch: &self.scratch, item, stdin };
        let Done { mut ending, fuel, memory_peak_bytes } = task.run().await;
        if program.uses_files() {
            ending = self.collect(program, ending);
        }
        let ended = Ended {
            ending,
            fuel,
            memory_peak_bytes,
            wall_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            cpu_us: cpu_us().saturating_sub(cpu_before),
        };
        self.link.outbox.send(&Report::Ended(Box::new(ended)));
        self.watchdog.task_ended();
        if program.uses_files() {
            // Not left for the next task to clean: another tenant's may be it.
            self.scratch.freshen().map_err(|error| format!("cannot clean the scratch folder: {error}"))?;
        }
        Ok(())
    }

    /// Measures the files of a task for the last time and sends its outputs home.
    fn collect(&self, program: &Program, ending: Ending) -> Ending {
        let Ending::Exited { .. } = ending else { return ending };
        let limits = &program.spec.limits;
        if !self.scratch.is_within(limits) {
            return Ending::Failed(Failure::Limit { limit: Limit::Scratch });
        }
        match outputs::send(&self.scratch, limits, &self.link.outbox) {
            Ok(()) => ending,
            Err(CollectError::Limit(limit)) => Ending::Failed(Failure::Limit { limit }),
            Err(CollectError::Name { message }) => Ending::Failed(Failure::Trap { message }),
            Err(CollectError::Io(error)) => {
                let message = format!("an output file could not be read: {error}");
                Ending::Failed(Failure::ProviderStopped { message })
            }
        }
    }
}

/// Processor time of this process so far, in microseconds.
fn cpu_us() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000).unwrap_or(0)
}
