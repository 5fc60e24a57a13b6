//! Retries, conditions and checks as whole nodes carry them out.

use crate::support::{Sky, finish, numbers_job, stage, until};
use opensky_node::Handle;
use opensky_ports::{
    journal::{TaskRun, Verdict},
    testing::{FakeExecutor, FakeRun},
};
use opensky_types::{
    Hash, JobId,
    job::{
        Check, CheckDecision, Checker, Condition, JobSpec, JobState, Real, StageInputs, StageSpec,
        TasksMeant, Test, Tolerance, Verify,
    },
    reason::Reason,
    resources::TaskLimits,
    task::{Content, Failure, Outcome, TaskOutput},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What a checker or a task reads, as text.
fn text(stdin: &[Content]) -> String {
    let bytes = stdin.iter().flat_map(|content| match content {
        Content::Inline(bytes) => bytes.clone(),
        Content::Blob(_) => panic!("all inputs of these tests are small"),
    });
    String::from_utf8(bytes.collect()).expect("text")
}

fn exits(exit_code: i32, stdout: &str) -> FakeRun {
    let stdout = Content::Inline(stdout.as_bytes().to_vec());
    let outcome =
        Outcome::Exited(TaskOutput { exit_code, stdout, stderr: Content::empty(), files: Vec::new() });
    FakeRun { outcome, ..FakeRun::writes("") }
}

fn checker(program: Hash) -> Check {
    let args = vec!["is it right?".into()];
    let limits = TaskLimits { wall_ms: 1_000, ..TaskLimits::default() };
    Check::Program(Checker { program, size_bytes: 7, args, score_min: None, limits })
}

fn put(handle: &Handle, bytes: &[u8]) -> Hash {
    handle.blobs().put(bytes).expect("blob").hash
}

async fn runs(handle: &Handle, job: JobId) -> Vec<TaskRun> {
    handle.runs(job, |_| true, 0, 1_000).await.expect("runs")
}

async fn notes(handle: &Handle, job: JobId) -> Vec<Reason> {
    handle.notes(job).await.expect("notes").into_iter().map(|note| note.reason).collect()
}

/// A sky whose first node lies, and where `check` is what the checker does; and how often it ran.
async fn checked_sky(
    nodes: u8,
    check: impl Fn(&str) -> FakeRun + Send + Sync + Clone + 'static,
) -> (Sky, Arc<AtomicUsize>) {
    let checks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&checks);
    let sky = Sky::new(nodes, move |number| {
        let (check, counted) = (check.clone(), Arc::clone(&counted));
        FakeExecutor::new(move |batch, item| {
            if batch.program.args == ["is it right?"] {
                counted.fetch_add(1, Ordering::Relaxed);
                return check(&text(&item.input.stdin));
            }
            FakeRun::writes(if number == 0 {
                "lie".into()
            } else {
                format!("{} by {number}", item.input.item)
            })
        })
    });
    (sky.await, checks)
}

fn checked_job(handle: &Handle, count: i64) -> JobSpec {
    let mut spec = numbers_job(put(handle, b"program"), count, Verify::None);
    let only = &mut spec.stages[0];
    only.verify = Verify::Checked { agree: 1, replicas: 1, replicas_max: 1 };
    only.check = Some(checker(put(handle, b"checker")));
    (only.program.deterministic, only.failures_max) = (false, 3);
    spec
}

#[tokio::test(start_paused = true)]
async fn c1_v1_a_liar_is_caught_by_a_checker_and_honest_results_that_differ_are_taken() {
    let (sky, checks) = checked_sky(4, |read| {
        assert!(read.starts_with("opensky check 1\ninput 0\nrun 0\nstdout "), "{read}");
        exits(i32::from(read.ends_with("lie")), "")
    })
    .await;
    let consumer = &sky.nodes[3].handle;
    let job = consumer.submit(checked_job(consumer, 30)).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = runs(consumer, job).await;
    let liar = sky.nodes[0].key.id();
    let accepted: Vec<&TaskRun> = runs.iter().filter(|run| run.verdict == Verdict::Accepted).collect();
    assert_eq!(accepted.len(), 30, "each task once");
    assert!(accepted.iter().all(|run| run.node != liar));
    assert!(runs.iter().filter(|run| run.node == liar).all(|run| run.verdict != Verdict::Accepted));
    assert!(checks.load(Ordering::Relaxed) >= 30);
    if runs.iter().any(|run| run.verdict == Verdict::Rejected) {
        let failed =
            |reason: &Reason| matches!(reason, Reason::Checked { decision: CheckDecision::Failed, .. });
        assert!(notes(consumer, job).await.iter().any(failed));
    }
}

#[tokio::test(start_paused = true)]
async fn v1_a_checker_that_traps_never_ends_or_talks_nonsense_takes_no_result_and_says_so() {
    let trap = || FakeRun::fails(Failure::Trap { message: "unreachable".into() });
    let limit = || FakeRun::fails(Failure::Limit { limit: opensky_types::resources::Limit::Time });
    for (run, said) in [(trap(), "unreachable"), (limit(), "time limit"), (exits(77, ""), "exit code 77")] {
        let (sky, checks) = checked_sky(4, move |_| run.clone()).await;
        let consumer = &sky.nodes[3].handle;
        let job = consumer.submit(checked_job(consumer, 1)).await.expect("job is taken");
        assert_eq!(finish(consumer, job).await, JobState::Failed);
        assert_eq!(checks.load(Ordering::Relaxed), 3, "{said}: on three nodes and no more");
        assert!(runs(consumer, job).await.iter().all(|run| run.verdict == Verdict::Failed), "{said}");
        let notes = notes(consumer, job).await;
        let stopped = notes.iter().find(|reason| reason.ends_job()).expect("a reason").to_string();
        assert!(stopped.contains(said), "{stopped}");
    }
}

#[tokio::test(start_paused = true)]
async fn v1_results_within_a_tolerance_agree_and_a_liar_is_outvoted() {
    let sky = Sky::new(4, |number| {
        FakeExecutor::new(move |_, item| match number {
            0 => FakeRun::writes("99.5"),
            _ => FakeRun::writes(format!("{}.00{number}", item.input.item)),
        })
    })
    .await;
    let consumer = &sky.nodes[3].handle;
    let mut spec = numbers_job(put(consumer, b"program"), 20, Verify::None);
    let only = &mut spec.stages[0];
    only.verify = Verify::Checked { agree: 2, replicas: 2, replicas_max: 4 };
    let tolerance = Tolerance { absolute: Real::new(0.01).expect("finite"), relative: Real::default() };
    (only.check, only.program.deterministic) = (Some(Check::Tolerance(tolerance)), false);
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = runs(consumer, job).await;
    let accepted = runs.iter().filter(|run| run.verdict == Verdict::Accepted);
    assert_eq!(accepted.clone().count(), 20, "each task once");
    assert!(accepted.clone().all(|run| run.node != sky.nodes[0].key.id()));
    assert!(runs.iter().filter(|run| run.verdict == Verdict::Agreed).count() >= 20);
}

#[tokio::test(start_paused = true)]
async fn f1_v1_after_a_restart_results_that_were_judged_are_not_checked_again() {
    let checks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&checks);
    let mut sky = Sky::new(3, move |_| {
        let counted = Arc::clone(&counted);
        FakeExecutor::new(move |batch, item| {
            if batch.program.args == ["is it right?"] {
                counted.fetch_add(1, Ordering::Relaxed);
                return exits(0, "");
            }
            FakeRun::writes(item.input.item.clone()).in_ms(300)
        })
    })
    .await;
    let spec = checked_job(&sky.nodes[0].handle, 40);
    let job = sky.nodes[0].handle.submit(spec).await.expect("job is taken");
    until(|| async { runs(&sky.nodes[0].handle, job).await.len() >= 10 }).await;
    let dead = sky.kill(0);
    let before = runs(&dead.handle, job).await;
    let again =
        sky.start(&dead.key, dead.journal.clone(), dead.blobs.clone(), dead.executor.clone(), 2).await;
    assert_eq!(finish(&again.handle, job).await, JobState::Succeeded);
    let after = runs(&again.handle, job).await;
    assert_eq!(after.iter().filter(|run| run.verdict == Verdict::Accepted).count(), 40);
    for run in &before {
        assert_eq!(after.iter().filter(|other| other.task == run.task).count(), 1, "{} ran again", run.task);
    }
}

fn one(name: &str, program: Hash) -> StageSpec {
    stage(name, program, StageInputs::One { stdin: None }, Verify::None)
}

fn when(stage: u16, test: Test) -> Condition {
    Condition { stage, of: TasksMeant::Any, test, not: false }
}

#[tokio::test(start_paused = true)]
async fn c6_stages_run_or_are_skipped_by_what_earlier_ones_left() {
    let sky = Sky::new(2, |_| {
        FakeExecutor::new(|batch, item| match batch.program.args[0].as_str() {
            "look" => exits(3, "mend\n"),
            "trap" => FakeRun::fails(Failure::Trap { message: "unreachable".into() }),
            "join" => FakeRun::writes(text(&item.input.stdin)),
            other => FakeRun::writes(format!("{other} ")),
        })
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let program = put(consumer, b"program");
    let named = |name: &str| {
        let mut stage = one(name, program);
        stage.program.args = vec![name.into()];
        stage
    };
    let mut look = named("look");
    look.accept_any_exit = true;
    let mut mend = named("mend");
    mend.when =
        vec![when(0, Test::ExitCode { codes: vec![3] }), when(0, Test::Output { text: "mend".into() })];
    let mut idle = named("idle");
    idle.when = vec![when(0, Test::Output { text: "fine".into() })];
    let mut trap = named("trap");
    trap.may_fail = true;
    let mut sorry = named("sorry");
    sorry.when = vec![when(3, Test::Failed)];
    let mut join = named("join");
    (join.inputs, join.after) = (StageInputs::Reduce { stage: 1, fan_in: 8 }, vec![2, 4]);
    let mut reads_idle = named("reads idle");
    reads_idle.inputs = StageInputs::Each { stage: 2 };
    let mut spec = numbers_job(program, 1, Verify::None);
    spec.stages = vec![look, mend, idle, trap, sorry, join, reads_idle];
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let ran = runs(consumer, job).await;
    let accepted = |stage: u16| {
        let run = ran.iter().find(|run| run.task.stage == stage && run.verdict == Verdict::Accepted);
        run.map(|run| run.outcome.stdout().clone())
    };
    assert_eq!((accepted(2), accepted(6)), (None, None), "skipped, and what reads it");
    assert_eq!(accepted(5), Some(Content::Inline(b"mend ".to_vec())));
    assert!(accepted(3).is_some() && accepted(4).is_some(), "a failure is a result, and asked about");
    let said: Vec<String> = notes(consumer, job).await.iter().map(ToString::to_string).collect();
    let skipped = "stage 2 is skipped, 1 tasks: it does not hold that a task of stage 0 wrote \"fine\"";
    assert!(said.iter().any(|note| note == skipped), "{said:?}");
    assert!(said.iter().any(|note| note.contains("the stage may fail, so the job goes on")), "{said:?}");
}
