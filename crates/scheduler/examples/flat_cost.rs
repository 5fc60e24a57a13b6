//! Prints what the scheduler itself costs per task, for growing jobs: nanoseconds and bytes. Run it
//! with `cargo run --release -p opensky-scheduler --example flat_cost`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use opensky_scheduler::{Candidate, Committed, Config, Effect, Ended, Input, Report, Scheduler};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Timestamp,
    job::{JobSpec, JobState, LevelReason, Needs, Program, Retry, StageInputs, StageSpec, Verify},
    offer::Constraints,
    place::Level,
    reason::MisfitCounts,
    resources::TaskLimits,
    task::commitment,
};
use std::{collections::VecDeque, sync::Arc, time::Instant};

const PROVIDERS: u8 = 4;
/// As often as in the sample.
const AUDIT_PARTS: u32 = 5_000;

fn main() {
    let quorum = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 5 };
    for (name, verify) in [
        ("none", Verify::None),
        ("sample of 50 per mille", Verify::Sample { per_mille: 50 }),
        ("reputation of 50 per mille", Verify::Reputation),
        ("quorum of 2", quorum),
    ] {
        println!("verify {name}");
        for tasks in [1_000, 10_000, 100_000, 1_000_000] {
            let (nanoseconds, bytes) = measure(tasks, verify);
            println!("  {tasks:>9} tasks: {nanoseconds:>6.0} ns and {bytes:>5.1} bytes a task");
        }
    }
}

/// Runs a job with instant providers; gives the scheduler's own time and its memory, per task.
fn measure(tasks: i64, verify: Verify) -> (f64, f64) {
    let job = JobId::from_bytes([1; 10]);
    let mut scheduler = Scheduler::new(Config::new([7; 32]));
    let mut inputs = VecDeque::from([Input::Submitted { job, spec: Arc::new(spec(tasks, verify)) }]);
    let mut effects = Vec::new();
    let (mut spent, mut bytes, mut handled) = (0.0, 0, 0u64);
    while let Some(input) = inputs.pop_front() {
        handled += 1;
        let now = Timestamp::from_millis(1_000 + handled / 100);
        let started = Instant::now();
        scheduler.handle(now, input, &mut effects);
        spent += started.elapsed().as_secs_f64();
        for effect in effects.drain(..) {
            answer(effect, verify, &mut inputs);
        }
        bytes = bytes.max(scheduler.size_bytes(&job));
        if inputs.is_empty() && scheduler.job(&job).is_some_and(|view| !view.state.is_final()) {
            inputs.push_back(Input::Tick);
        }
    }
    assert_eq!(scheduler.job(&job).map(|view| view.state), Some(JobState::Succeeded));
    (spent * 1e9 / tasks as f64, bytes as f64 / tasks as f64)
}

/// What a market and instant, honest providers say to an effect.
fn answer(effect: Effect, verify: Verify, inputs: &mut VecDeque<Input>) {
    let salt = [3; 16];
    match effect {
        Effect::Find { job, stage, exclude, .. } => {
            let nodes = (0..PROVIDERS).map(|number| NodeId::from_public_key([number; 32]));
            let fitting = nodes.filter(|node| !exclude.contains(node));
            let candidate =
                |node| Candidate { node, slots_free: 8, score: 1, rank: 1, audit_parts: AUDIT_PARTS };
            let ranked: Vec<Candidate> = fitting.map(candidate).collect();
            inputs.push_back(Input::Matched { job, stage, ranked, counts: MisfitCounts::default() });
        }
        Effect::Propose { job, stage, node, slots } => {
            let agreement = AgreementId::from_hash(Hash::of(node.public_key()));
            inputs.push_back(Input::Agreed { job, stage, node, agreement, slots });
        }
        Effect::Assign { job: _, agreement, node, tasks } => {
            let output = Hash::of(b"output");
            let reports = tasks.iter().map(|(task, attempt)| Report {
                task: *task,
                attempt: *attempt,
                output,
                ended: Ended::Exited { code: 0 },
                wall_us: 40,
                salt,
                tests: 0,
            });
            let commitments = tasks.iter().map(|(task, attempt)| {
                let hash = commitment(&node, *task, &output, &salt);
                Committed { task: *task, attempt: *attempt, hash }
            });
            if matches!(verify, Verify::Quorum { .. }) {
                let commitments = commitments.collect();
                inputs.push_back(Input::Committed { agreement, commitments });
            }
            let reports = reports.collect();
            inputs.push_back(Input::Reported { agreement, reports });
        }
        _ => {}
    }
}

fn spec(tasks: i64, verify: Verify) -> JobSpec {
    let program = Program {
        hash: Hash::of(b"program"),
        size_bytes: 7,
        level: Level::Vm,
        function: String::new(),
        args: Vec::new(),
        env: Vec::new(),
        deterministic: true,
        needs: Needs::default(),
    };
    let stage = StageSpec {
        name: "work".into(),
        program,
        inputs: StageInputs::Numbers { from: 0, to: tasks, step: 1 },
        after: Vec::new(),
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        verify,
        failures_max: 3,
        retry: Retry::default(),
        level_reason: LevelReason::Given,
        check: None,
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: true,
    };
    let (wait_ms, deadline_ms) = (60_000, None);
    JobSpec {
        name: "flat".into(),
        stages: vec![stage],
        wait_ms,
        deadline_ms,
        budget: None,
        seed: 1,
        durable: false,
    }
}
