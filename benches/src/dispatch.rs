//! What a task costs when its work costs nothing.

use crate::{
    process,
    sky::{NOOP, Sky, function, job, numbers},
};
use anyhow::{Result, ensure};
use opensky_ports::journal::Verdict;
use opensky_types::{JobId, job::Program};
use std::time::Duration;

/// Tasks run before the first measured job: programs are compiled and workers up.
const WARM_TASKS: u32 = 2_000;

/// The sky that a job runs on.
#[derive(Debug, Clone, clap::Args)]
pub struct Shape {
    /// Provider processes.
    #[arg(long, default_value_t = 2)]
    pub providers: u8,
    /// Tasks at a time on each.
    #[arg(long, default_value_t = 1)]
    pub slots: u16,
}

/// One job and what it took.
pub struct Measured {
    pub tasks: u32,
    pub job: JobId,
    pub took: Duration,
    /// Processor time in microseconds a task: consumer, provider nodes, their workers.
    pub cpu_us: [f64; 3],
}

impl Measured {
    fn rate(&self) -> f64 {
        f64::from(self.tasks) / self.took.as_secs_f64()
    }

    fn print(&self) {
        let [consumer, providers, workers] = self.cpu_us;
        println!(
            "{:>9} tasks: {:>8.0} tasks/s, {:>6.1} us a task; processor us a task: consumer {consumer:.1}, \
             provider nodes {providers:.1}, workers {workers:.1}",
            self.tasks,
            self.rate(),
            1e6 / self.rate(),
        );
    }
}

/// Tasks a second of one job.
pub async fn measure(tasks: u32, shape: &Shape) -> Result<()> {
    let (sky, program) = warm_sky(shape).await?;
    let measured = run(&sky, &program, tasks).await?;
    measured.print();
    check(&sky, &measured).await?;
    sky.stop().await?;
    println!("{:.0}", measured.rate());
    Ok(())
}

/// Jobs of growing size, and the consumer's memory.
pub async fn cost(sizes: &[u32], shape: &Shape) -> Result<()> {
    let (sky, program) = warm_sky(shape).await?;
    for tasks in sizes {
        run(&sky, &program, *tasks).await?.print();
        println!(
            "          consumer's peak memory so far {:.0} MB",
            process::memory_mb(std::process::id(), "VmHWM")?
        );
    }
    sky.stop().await?;
    println!("{:.0}", process::memory_mb(std::process::id(), "VmHWM")?);
    Ok(())
}

/// A sky whose providers have compiled the program and have their workers up.
pub async fn warm_sky(shape: &Shape) -> Result<(Sky, Program)> {
    let sky = Sky::start(shape.providers, shape.slots).await?;
    let program = function(sky.consumer.handle.blobs().put(NOOP)?, "run");
    sky.run(job(program.clone(), numbers(WARM_TASKS), true)).await?;
    Ok((sky, program))
}

/// Runs one job of numbers.
pub async fn run(sky: &Sky, program: &Program, tasks: u32) -> Result<Measured> {
    let before = sky.cpu()?;
    let (id, took) = sky.run(job(program.clone(), numbers(tasks), true)).await?;
    let after = sky.cpu()?;
    let consumer = after.0.since(before.0);
    let providers = after.1.since(before.1);
    let each = |seconds: f64| seconds * 1e6 / f64::from(tasks);
    let cpu_us = [each(consumer.own), each(providers.own), each(providers.children)];
    Ok(Measured { tasks, job: id, took, cpu_us })
}

/// Each task has exactly one accepted run, by a provider.
async fn check(sky: &Sky, measured: &Measured) -> Result<()> {
    let count = |total: &mut u32, run: &opensky_ports::journal::TaskRun| {
        *total += u32::from(run.verdict == Verdict::Accepted && run.receipt.is_some());
    };
    let accepted = sky.consumer.handle.fold_runs(measured.job, 0, count).await?;
    ensure!(accepted == measured.tasks, "{accepted} of {} tasks have an accepted run", measured.tasks);
    Ok(())
}
