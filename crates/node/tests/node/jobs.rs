//! Jobs over whole nodes on in-memory ports, with virtual time.

use crate::support::{Sky, finish, numbers_job, stage, until};
use opensky_ledger::reputation::{DAY_MS, Reputation, Tier};
use opensky_node::Handle;
use opensky_ports::{
    journal::Verdict,
    testing::{FakeExecutor, FakeRun},
};
use opensky_types::{
    AccountId, JobId, NodeId, Timestamp,
    job::{JobState, StageInputs, Verify},
    reason::Reason,
    receipt::ReceiptStanding,
    task::Content,
};
use std::collections::{BTreeMap, BTreeSet};

const QUORUM: Verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 4 };

#[tokio::test(start_paused = true)]
async fn tasks_spread_over_nodes_and_their_receipts_hold() {
    let sky =
        Sky::new(3, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(50)))
            .await;
    let consumer = &sky.nodes[0].handle;
    let program = consumer.blobs().put(b"program").expect("blob").hash;
    let job = consumer.submit(numbers_job(program, 60, Verify::None)).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs");
    assert_eq!(runs.iter().map(|run| run.task.index).collect::<BTreeSet<_>>().len(), 60);
    let nodes: BTreeSet<_> = runs.iter().map(|run| run.node).collect();
    assert_eq!(nodes.len(), 3, "every node did some of it");
    for run in &runs {
        let Content::Inline(stdout) = run.outcome.stdout() else { panic!("small output is inline") };
        assert_eq!(stdout, run.task.index.to_string().as_bytes());
        let receipt = run.receipt.expect("every run has a receipt");
        until(|| async {
            let proof = consumer.receipt(receipt).await.expect("journal").expect("receipt is kept");
            proof.verify().expect("receipt holds") == ReceiptStanding::Accepted
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn c1_a_lying_node_is_outvoted() {
    let liar = 2;
    let sky = Sky::new(4, |index| {
        FakeExecutor::new(move |_, item| {
            let answer = if index == liar { "wrong".to_owned() } else { item.input.item.clone() };
            FakeRun::writes(answer).in_ms(5)
        })
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let program = consumer.blobs().put(b"program").expect("blob").hash;
    let job = consumer.submit(numbers_job(program, 40, QUORUM)).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = consumer.runs(job, |_| true, 0, 10_000).await.expect("runs");
    let accepted: Vec<_> = runs.iter().filter(|run| run.verdict == Verdict::Accepted).collect();
    assert_eq!(accepted.len(), 40);
    for run in accepted {
        assert_eq!(run.outcome.stdout(), &Content::Inline(run.task.index.to_string().into_bytes()));
    }
    let notes = consumer.notes(job).await.expect("notes");
    let lied = notes
        .iter()
        .any(|note| matches!(note.reason, Reason::Outvoted { node, .. } if node == sky.nodes[liar].key.id()));
    assert!(lied, "the liar is named");
}

fn veteran() -> Reputation {
    let mut reputation = Reputation::default();
    for day in 1..=80 {
        reputation.on_day_online(Timestamp::from_millis(day * DAY_MS));
    }
    assert_eq!(reputation.tier(), Tier::Veteran);
    reputation
}

fn on_probation() -> Reputation {
    let mut reputation = Reputation::default();
    reputation.on_failed_verification(Timestamp::from_millis(DAY_MS));
    assert_eq!(reputation.tier(), Tier::Probation);
    reputation
}

/// How many tasks went to each node first, and how many of those were audited.
async fn audits(consumer: &Handle, job: JobId) -> BTreeMap<NodeId, (usize, usize)> {
    let notes = consumer.notes(job).await.expect("notes");
    let (mut firsts, mut drawn) = (BTreeMap::new(), BTreeSet::new());
    for note in notes {
        match (note.task, note.reason) {
            (Some(task), Reason::Placed { node, .. }) => _ = firsts.entry(task).or_insert(node),
            (Some(task), Reason::AuditDrawn) => _ = drawn.insert(task),
            _ => {}
        }
    }
    let mut counts: BTreeMap<NodeId, (usize, usize)> = BTreeMap::new();
    for (task, node) in firsts {
        let (all, audited) = counts.entry(node).or_default();
        *all += 1;
        *audited += usize::from(drawn.contains(&task));
    }
    counts
}

#[tokio::test(start_paused = true)]
async fn v3_work_is_checked_as_often_as_the_ledger_says_of_its_node() {
    let sky =
        Sky::new(4, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(50)))
            .await;
    sky.ledger.set_reputation(AccountId::of_node(sky.id(1)), veteran());
    sky.ledger.set_reputation(AccountId::of_node(sky.id(2)), on_probation());
    let consumer = &sky.nodes[0].handle;
    let spec = numbers_job(sky.program(0), 600, Verify::Reputation);
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let counts = audits(consumer, job).await;
    let of = |index: usize| counts[&sky.id(index)];
    assert!(counts.values().all(|(all, _)| *all >= 50), "every node did some of it: {counts:?}");
    assert_eq!(of(2).0, of(2).1, "all work of a node on probation");
    assert!(of(1).1 * 20 <= of(1).0, "one in two hundred of a veteran's: {counts:?}");
    for newcomer in [0, 3] {
        let (all, audited) = of(newcomer);
        assert!((all * 3 / 10..=all * 7 / 10).contains(&audited), "half of a newcomer's: {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn v3_a_consumer_that_dies_goes_on_checking() {
    let mut sky =
        Sky::new(3, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(300)))
            .await;
    let checked = sky.id(2);
    sky.ledger.set_reputation(AccountId::of_node(checked), on_probation());
    sky.ledger.set_reputation(AccountId::of_node(sky.id(1)), veteran());
    let spec = numbers_job(sky.program(0), 60, Verify::Reputation);
    let job = sky.nodes[0].handle.submit(spec).await.expect("job is taken");
    until(|| async { sky.nodes[0].handle.runs(job, |_| true, 0, 100).await.expect("runs").len() >= 10 })
        .await;
    let dead = sky.kill(0);
    let again =
        sky.start(&dead.key, dead.journal.clone(), dead.blobs.clone(), dead.executor.clone(), 2).await;
    assert_eq!(finish(&again.handle, job).await, JobState::Succeeded);
    let runs = again.handle.runs(job, |_| true, 0, 1_000).await.expect("runs");
    let accepted = runs.iter().filter(|run| run.verdict == Verdict::Accepted);
    assert_eq!(accepted.clone().count(), 60, "each task is accepted exactly once");
    let by_checked: Vec<_> = accepted.filter(|run| run.node == checked).map(|run| run.task).collect();
    assert!(!by_checked.is_empty());
    for task in by_checked {
        let agreed = runs.iter().any(|run| run.task == task && run.verdict == Verdict::Agreed);
        assert!(agreed, "nobody confirmed {task}");
    }
}

#[tokio::test(start_paused = true)]
async fn map_reduce_passes_outputs_on_in_order() {
    let sky = Sky::new(2, |_| {
        FakeExecutor::new(|batch, item| {
            let joined = item.input.stdin.iter().flat_map(|content| match content {
                Content::Inline(bytes) => bytes.clone(),
                Content::Blob(_) => panic!("small outputs travel inline"),
            });
            let reduce = batch.program.args.first().is_some_and(|arg| arg == "reduce");
            FakeRun::writes(if reduce {
                joined.collect()
            } else {
                format!("{},", item.input.item).into_bytes()
            })
        })
    })
    .await;
    let consumer = &sky.nodes[1].handle;
    let program = consumer.blobs().put(b"program").expect("blob").hash;
    let mut spec = numbers_job(program, 10, Verify::None);
    let mut reduce = stage("total", program, StageInputs::Reduce { stage: 0, fan_in: 64 }, Verify::None);
    reduce.program.args = vec!["reduce".into()];
    spec.stages.push(reduce);
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = consumer.runs(job, |run| run.task.stage == 1, 0, 10).await.expect("runs");
    assert_eq!(runs[0].outcome.stdout(), &Content::Inline(b"0,1,2,3,4,5,6,7,8,9,".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn f12_a_provider_that_dies_is_replaced() {
    let sky =
        Sky::new(3, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(400)))
            .await;
    let consumer = &sky.nodes[0].handle;
    let program = consumer.blobs().put(b"program").expect("blob").hash;
    let job = consumer.submit(numbers_job(program, 60, Verify::None)).await.expect("job is taken");
    until(|| async { !consumer.runs(job, |_| true, 0, 10).await.expect("runs").is_empty() }).await;
    sky.network.kill(sky.nodes[1].key.id());
    sky.nodes[1].end.abort();
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs");
    assert_eq!(runs.len(), 60, "each task is accepted exactly once");
}

#[tokio::test(start_paused = true)]
async fn f1_a_consumer_that_dies_resumes_without_repeating() {
    let mut sky =
        Sky::new(3, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(300)))
            .await;
    let program = sky.nodes[0].handle.blobs().put(b"program").expect("blob").hash;
    let job = sky.nodes[0].handle.submit(numbers_job(program, 60, Verify::None)).await.expect("job is taken");
    until(|| async { sky.nodes[0].handle.runs(job, |_| true, 0, 100).await.expect("runs").len() >= 10 })
        .await;
    let dead = sky.kill(0);
    let before = dead.handle.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs");
    let again =
        sky.start(&dead.key, dead.journal.clone(), dead.blobs.clone(), dead.executor.clone(), 2).await;
    assert_eq!(finish(&again.handle, job).await, JobState::Succeeded);
    let runs = again.handle.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs");
    let tasks: BTreeSet<_> = runs.iter().map(|run| run.task).collect();
    assert_eq!((runs.len(), tasks.len()), (60, 60), "each task is accepted exactly once");
    let ran_again = again.handle.runs(job, |_| true, 0, 1_000).await.expect("runs");
    for run in &before {
        let times = ran_again.iter().filter(|other| other.task == run.task).count();
        assert_eq!(times, 1, "task {} was finished before and must not run again", run.task);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_fits_says_why() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let consumer = &sky.nodes[0].handle;
    let program = consumer.blobs().put(b"program").expect("blob").hash;
    let mut spec = numbers_job(program, 3, Verify::None);
    spec.stages[0].constraints.gpus_min = 1;
    spec.wait_ms = 0;
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Failed);
    let notes = consumer.notes(job).await.expect("notes");
    let why = notes.iter().find_map(|note| match &note.reason {
        Reason::NobodyFits { counts, .. } => Some(counts.to_string()),
        _ => None,
    });
    assert_eq!(why.as_deref(), Some("0 of 2 nodes fit: 2 too few GPUs"));
}

#[tokio::test(start_paused = true)]
async fn an_owner_cancels_and_retries() {
    let sky =
        Sky::new(2, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(500)))
            .await;
    let consumer = &sky.nodes[0].handle;
    let program = consumer.blobs().put(b"program").expect("blob").hash;
    let job = consumer.submit(numbers_job(program, 20, Verify::None)).await.expect("job is taken");
    until(|| async { !consumer.runs(job, |_| true, 0, 10).await.expect("runs").is_empty() }).await;
    assert!(consumer.cancel(job).await.expect("node answers"));
    assert_eq!(finish(consumer, job).await, JobState::Cancelled);
    let before =
        consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs").len();
    assert!(before > 0 && before < 20);
    assert!(consumer.retry(job).await.expect("retry is taken"));
    until(|| async {
        consumer.job(job).await.expect("job").is_some_and(|view| !view.stored.state.is_final())
    })
    .await;
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs");
    assert_eq!(runs.len(), 20, "what was done stayed done");
}

#[tokio::test(start_paused = true)]
async fn f4_a_full_disk_stops_promises() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let consumer = &sky.nodes[0].handle;
    let program = consumer.blobs().put(b"program").expect("blob").hash;
    sky.nodes[0].journal.break_disk();
    let promised = tokio::time::timeout(
        std::time::Duration::from_secs(5),
        consumer.submit(numbers_job(program, 3, Verify::None)),
    );
    assert!(promised.await.is_err(), "nothing is promised that is not on disk");
    until(|| async { consumer.status().await.expect("node answers").disk_problem.is_some() }).await;
    assert!(
        consumer.submit(numbers_job(program, 3, Verify::None)).await.is_err(),
        "and later askers are told so"
    );
}
