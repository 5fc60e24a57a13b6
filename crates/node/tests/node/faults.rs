//! Nodes, links and disks that fail while jobs run.

use crate::support::{Sky, finish, numbers_job, until};
use opensky_node::{Handle, SubmitError};
use opensky_ports::{
    BlobStore, Record,
    journal::Verdict,
    testing::{FakeExecutor, FakeRun},
};
use opensky_types::{
    JobId,
    job::{JobState, Verify},
    receipt::ReceiptStanding,
    task::Content,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const QUORUM: Verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 4 };

fn echo_in_ms(millis: u64) -> FakeExecutor {
    FakeExecutor::new(move |_, item| FakeRun::writes(item.input.item.clone()).in_ms(millis))
}

async fn assert_right(consumer: &Handle, job: JobId, tasks: u32) {
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let accepted = consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 10_000).await.expect("runs");
    let mut seen: Vec<u32> = accepted.iter().map(|run| run.task.index).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..tasks).collect::<Vec<_>>(), "each task is accepted once");
    for run in accepted {
        assert_eq!(run.outcome.stdout(), &Content::Inline(run.task.index.to_string().into_bytes()));
    }
}

async fn has_runs(consumer: &Handle, job: JobId, count: usize) {
    until(|| async { consumer.runs(job, |_| true, 0, count).await.expect("runs").len() >= count }).await;
}

/// A link that breaks for less than the grace time loses no work and repeats none.
#[tokio::test(start_paused = true)]
async fn f8_a_short_partition_repeats_nothing() {
    let started = Arc::new(AtomicUsize::new(0));
    let counter = started.clone();
    let sky = Sky::new(2, move |_| {
        let started = counter.clone();
        FakeExecutor::new(move |_, item| {
            started.fetch_add(1, Ordering::Relaxed);
            FakeRun::writes(item.input.item.clone()).in_ms(700)
        })
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let mut spec = numbers_job(sky.program(0), 40, Verify::None);
    spec.stages[0].constraints.peers = vec![sky.id(1)];
    spec.stages[0].hedge = false;
    let job = consumer.submit(spec).await.expect("job is taken");
    has_runs(consumer, job, 4).await;
    sky.network.cut(sky.id(0), sky.id(1));
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    sky.network.restore(sky.id(0), sky.id(1));
    assert_right(consumer, job, 40).await;
    assert_eq!(started.load(Ordering::Relaxed), 40, "each task ran once");
}

/// A provider that stays away for long loses its tasks to others, and is welcome again afterwards.
#[tokio::test(start_paused = true)]
async fn f8_a_long_partition_is_worked_around() {
    let sky = Sky::new(3, |_| echo_in_ms(500)).await;
    let consumer = &sky.nodes[0].handle;
    let mut spec = numbers_job(sky.program(0), 120, Verify::None);
    spec.stages[0].constraints.peers = vec![sky.id(1), sky.id(2)];
    let job = consumer.submit(spec).await.expect("job is taken");
    has_runs(consumer, job, 4).await;
    sky.network.cut(sky.id(0), sky.id(1));
    has_runs(consumer, job, 50).await;
    sky.network.restore(sky.id(0), sky.id(1));
    assert_right(consumer, job, 120).await;
}

/// A provider that dies and comes back knows its agreements, and that their tasks are gone.
#[tokio::test(start_paused = true)]
async fn f12_a_provider_restarts_in_the_middle() {
    for verify in [Verify::None, QUORUM] {
        let mut sky = Sky::new(3, |_| echo_in_ms(300)).await;
        let consumer = sky.nodes[0].handle.clone();
        let job = consumer.submit(numbers_job(sky.program(0), 60, verify)).await.expect("job is taken");
        has_runs(&consumer, job, 6).await;
        let dead = sky.kill(1);
        sky.revive(1, dead, echo_in_ms(300)).await;
        assert_right(&consumer, job, 60).await;
        let journal = sky.nodes[1].journal.clone();
        until(|| async { open_agreements(&journal.records()).is_empty() }).await;
    }
}

/// Agreements that a journal still holds.
fn open_agreements(records: &[Record]) -> BTreeSet<opensky_types::AgreementId> {
    let mut open = BTreeSet::new();
    for record in records {
        match record {
            Record::AgreementHeld { agreement, .. } => {
                open.insert(*agreement);
            }
            Record::AgreementEnded { agreement } => {
                open.remove(agreement);
            }
            _ => {}
        }
    }
    open
}

/// A consumer that dies in the middle of a verified job takes it up again, and forgets no agreement.
#[tokio::test(start_paused = true)]
async fn f1_a_quorum_job_survives_its_consumer() {
    let mut sky = Sky::new(4, |_| echo_in_ms(200)).await;
    let job = {
        let consumer = &sky.nodes[0].handle;
        let job = consumer.submit(numbers_job(sky.program(0), 60, QUORUM)).await.expect("job is taken");
        has_runs(consumer, job, 20).await;
        job
    };
    let dead = sky.kill(0);
    sky.revive(0, dead, echo_in_ms(200)).await;
    assert_right(&sky.nodes[0].handle, job, 60).await;
    let journal = sky.nodes[0].journal.clone();
    until(|| async { open_agreements(&journal.records()).is_empty() }).await;
}

/// A consumer that dies before any result came keeps the work that is under way elsewhere.
#[tokio::test(start_paused = true)]
async fn f1_work_under_way_outlives_its_consumer() {
    let started = Arc::new(AtomicUsize::new(0));
    let counter = started.clone();
    let mut sky = Sky::new(2, move |_| {
        let started = counter.clone();
        FakeExecutor::new(move |_, item| {
            started.fetch_add(1, Ordering::Relaxed);
            FakeRun::writes(item.input.item.clone()).in_ms(8_000)
        })
    })
    .await;
    let mut spec = numbers_job(sky.program(0), 4, Verify::None);
    spec.stages[0].constraints.peers = vec![sky.id(1)];
    spec.stages[0].hedge = false;
    let job = sky.nodes[0].handle.submit(spec).await.expect("job is taken");
    until(|| async { started.load(Ordering::Relaxed) == 4 }).await;
    let dead = sky.kill(0);
    sky.revive(0, dead, FakeExecutor::echo()).await;
    assert_right(&sky.nodes[0].handle, job, 4).await;
    assert_eq!(started.load(Ordering::Relaxed), 4, "no task ran twice");
}

/// A job whose caller waits for it ends with its node: nothing holds its blobs over a restart.
#[tokio::test(start_paused = true)]
async fn f1_a_job_that_is_not_durable_ends_with_its_node() {
    let mut sky = Sky::new(1, |_| echo_in_ms(3_600_000)).await;
    let mut spec = numbers_job(sky.program(0), 4, Verify::None);
    spec.durable = false;
    let job = sky.nodes[0].handle.submit(spec).await.expect("job is taken");
    let journal = sky.nodes[0].journal.clone();
    let known =
        |record: &Record| matches!(record, Record::JobSubmitted { job: submitted, .. } if *submitted == job);
    until(|| async { journal.records().iter().any(known) && journal.is_synced() }).await;
    let dead = sky.kill(0);
    sky.revive(0, dead, FakeExecutor::echo()).await;
    until(|| async {
        let known = sky.nodes[0].handle.job(job).await.expect("journal reads").expect("job is known");
        known.stored.state == JobState::Cancelled
    })
    .await;
}

/// What is not durable is not synced one by one: a crash may take the last moment of it, and leaves
/// nothing half.
#[tokio::test(start_paused = true)]
async fn f1_the_last_moment_of_a_job_that_is_not_durable_may_be_lost() {
    let mut sky = Sky::new(1, |_| echo_in_ms(3_600_000)).await;
    let mut spec = numbers_job(sky.program(0), 4, Verify::None);
    spec.durable = false;
    let job = sky.nodes[0].handle.submit(spec).await.expect("job is taken");
    assert!(sky.nodes[0].handle.job(job).await.expect("journal reads").is_some(), "readable at once");
    assert!(!sky.nodes[0].journal.is_synced());
    let dead = sky.kill(0);
    sky.revive(0, dead, echo_in_ms(1)).await;
    let node = &sky.nodes[0];
    assert!(node.handle.job(job).await.expect("journal reads").is_none());
    let next = numbers_job(sky.program(0), 3, Verify::None);
    let next = node.handle.submit(next).await.expect("jobs are taken again");
    assert_right(&node.handle, next, 3).await;
}

/// While the disk is full nothing is promised, users still get answers, and all goes on once there
/// is room again.
#[tokio::test(start_paused = true)]
async fn f4_a_disk_with_room_again_lets_the_node_go_on() {
    let sky = Sky::new(2, |_| echo_in_ms(50)).await;
    let consumer = &sky.nodes[0].handle;
    let program = sky.program(0);
    let job = consumer.submit(numbers_job(program, 400, Verify::None)).await.expect("job is taken");
    has_runs(consumer, job, 4).await;
    sky.nodes[0].journal.break_disk();
    until(|| async { consumer.status().await.expect("node answers").disk_problem.is_some() }).await;
    let refused = consumer.submit(numbers_job(program, 3, Verify::None)).await;
    assert!(matches!(refused, Err(SubmitError::DiskFailed(_))), "{refused:?}");
    assert!(consumer.retry(job).await.is_err(), "nor is a retry taken");
    sky.nodes[0].journal.mend_disk();
    until(|| async { consumer.status().await.expect("node answers").disk_problem.is_none() }).await;
    assert_right(consumer, job, 400).await;
    let next = consumer.submit(numbers_job(program, 3, Verify::None)).await.expect("jobs are taken again");
    assert_right(consumer, next, 3).await;
}

/// A node that is told to stop sends its last words, and a job goes on elsewhere and after it.
#[tokio::test(start_paused = true)]
async fn a_graceful_stop_hands_work_back_at_once() {
    let sky = Sky::new(3, |_| echo_in_ms(400)).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(numbers_job(sky.program(0), 60, Verify::None)).await.expect("job is taken");
    has_runs(consumer, job, 6).await;
    sky.nodes[1].handle.shut_down().await;
    assert_right(consumer, job, 60).await;
    let notes = consumer.notes(job).await.expect("notes");
    let lost = notes.iter().any(|note| {
        matches!(note.reason, opensky_types::reason::Reason::ProviderLost { node, .. } if node == sky.id(1))
    });
    assert!(!lost, "it said goodbye, so nobody had to wait for it");
}

/// Every accepted run of a job can be shown to anyone, and its provider holds the signature too.
#[tokio::test(start_paused = true)]
async fn c5_receipts_hold_on_both_sides() {
    let sky = Sky::new(3, |_| echo_in_ms(20)).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(numbers_job(sky.program(0), 50, QUORUM)).await.expect("job is taken");
    assert_right(consumer, job, 50).await;
    let providers: BTreeMap<_, _> = sky.nodes.iter().map(|node| (node.key.id(), &node.handle)).collect();
    for run in consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs") {
        let receipt = run.receipt.expect("every accepted run has one");
        for holder in [consumer, providers[&run.node]] {
            until(|| async {
                let proof = holder.receipt(receipt).await.expect("journal reads");
                proof.is_some_and(|proof| proof.verify() == Ok(ReceiptStanding::Accepted))
            })
            .await;
        }
    }
}

/// Blobs of a job that was refused, or removed, are not held on to.
#[tokio::test(start_paused = true)]
async fn f4_no_job_leaves_pins_behind() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let node = &sky.nodes[0];
    let (_, cap_bytes) = node.blobs.usage();
    let program = sky.program(0);
    let missing = opensky_types::Hash::of(b"never uploaded");
    let mut spec = numbers_job(program, 3, Verify::None);
    spec.stages.push(crate::support::stage("two", missing, spec.stages[0].inputs.clone(), Verify::None));
    let refused = node.handle.submit(spec).await;
    assert!(matches!(refused, Err(SubmitError::BlobMissing(hash)) if hash == missing));
    let job = node.handle.submit(numbers_job(program, 3, Verify::None)).await.expect("job is taken");
    assert_eq!(finish(&node.handle, job).await, JobState::Succeeded);
    assert!(node.handle.remove(job).await.expect("node answers"));
    // With nothing pinned, all of the store can be had.
    until(|| async { node.blobs.create(cap_bytes).is_ok() }).await;
}
