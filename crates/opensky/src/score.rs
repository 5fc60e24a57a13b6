//! Measures the compute score once per machine and engine: the reference program, run like any task.

use anyhow::{Context, Result, bail};
use opensky_machine::{LocalMachine, SCORE_FUNCTION, SCORE_PROGRAM, SCORE_RESULT, ScoreRun};
use opensky_ports::{BlobStore, Engine, Executor, LogSink, LogStream, Pin, WorkBatch, WorkItem, WorkResult};
use opensky_types::{
    job::{Needs, Program},
    place::Level,
    resources::TaskLimits,
    task::{Content, Outcome, TaskInput},
};
use std::{sync::Mutex, time::Duration};
use tokio_util::sync::CancellationToken;

/// Puts the score into the machine's profile: as measured at an earlier start, or measured now,
/// which takes a fraction of a second.
pub async fn ensure(machine: &LocalMachine, executor: &dyn Executor, blobs: &dyn BlobStore) -> Result<u32> {
    let engines = executor.engines();
    let engine = Engine::of(&engines, Level::Function).context("nothing here runs WASM")?;
    let engine = engine.name.as_str();
    if let Some(score) = machine.known_score(engine) {
        return Ok(score);
    }
    let blob = blobs.put(SCORE_PROGRAM)?;
    let program = Program {
        hash: blob.hash,
        size_bytes: blob.size_bytes,
        level: Level::Function,
        function: SCORE_FUNCTION.into(),
        args: vec![],
        env: vec![],
        deterministic: true,
        needs: Needs::default(),
    };
    let item = |key| WorkItem { key, input: TaskInput { item: String::new(), stdin: vec![] } };
    // The first run warms the worker up.
    let batch = WorkBatch {
        program,
        seed: 0,
        limits: TaskLimits::default(),
        gpus: Vec::new(),
        items: vec![item(0), item(1)],
    };
    let results = Results::default();
    executor.run(batch, &results, CancellationToken::new()).await;
    blobs.unpin(Pin::Upload)?;
    let results = results.0.into_inner().unwrap_or_default();
    let Some(WorkResult { outcome: Outcome::Exited(output), usage, .. }) = results.last() else {
        bail!("the reference program did not end: {:?}", results.last().map(|result| &result.outcome));
    };
    let expected = SCORE_RESULT.to_string();
    if !matches!(&output.stdout, Content::Inline(bytes) if bytes.trim_ascii() == expected.as_bytes()) {
        bail!("the reference program computed a wrong result: {:?}", output.stdout);
    }
    let run = ScoreRun { fuel: usage.fuel, took: Duration::from_micros(usage.wall_us) };
    Ok(machine.keep_score(engine, run)?)
}

#[derive(Default)]
struct Results(Mutex<Vec<WorkResult>>);

impl LogSink for Results {
    fn written(&self, _key: u64, _stream: LogStream, _bytes: &[u8]) {}
    fn ended(&self, result: WorkResult) {
        self.0.lock().expect("no code panics while holding this lock").push(result);
    }
}
