//! Sums the squares of 0 to 99 on the sky: one task per number, added up here.
//!
//! Usage: `cargo run -p opensky-client --example sum_of_squares -- SQUARE.wasm`, where the program
//! prints the square of its first argument. A node must be running (`opensky up`).

use opensky_client::{
    Client,
    api::job::{InputsRequest, JobRequest, NeedsView, ProgramRequest, StageRequest},
};
use opensky_types::{job::LevelReason, place::Level};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let program =
        std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("usage: sum_of_squares SQUARE.wasm"))?;
    let client = Client::from_env()?;

    let program = client.upload_file(program.as_ref()).await?;
    let squares = StageRequest {
        name: "squares".into(),
        program: ProgramRequest {
            hash: program.hash,
            size_bytes: program.size_bytes,
            level: Level::Vm,
            function: String::new(),
            args: vec!["{item}".into()],
            env: vec![],
            deterministic: true,
            needs: NeedsView::default(),
        },
        inputs: InputsRequest::Numbers { from: 0, to: 100, step: 1 },
        after: vec![],
        limits: Default::default(),
        constraints: Default::default(),
        verify: Default::default(),
        failures_max: 3,
        retry: Default::default(),
        level_reason: LevelReason::Given,
        check: None,
        when: vec![],
        may_fail: false,
        accept_any_exit: false,
        hedge: true,
    };
    let job = JobRequest {
        name: "sum of squares".into(),
        stages: vec![squares],
        wait_ms: 60_000,
        deadline_ms: None,
        budget_micros: None,
        seed: None,
        durable: true,
    };

    let submitted = client.submit(job).await?;
    let detail = client.wait(submitted.job).await?;
    anyhow::ensure!(detail.summary.tasks.failed == 0, "the job failed: {}", detail.summary.reason);

    let mut sum = 0u64;
    for output in client.outputs(submitted.job, 0).await? {
        sum += String::from_utf8(output.stdout)?.trim().parse::<u64>()?;
    }
    println!("{sum}");
    Ok(())
}
