//! Providers that break the protocol, by hand: whatever they send, the job comes out right.

use crate::support::{
    Sky, finish, numbers_job,
    peer::{Lie, Peer},
    until,
};
use opensky_node::Handle;
use opensky_ports::{
    journal::Verdict,
    testing::{FakeExecutor, FakeRun},
};
use opensky_protocol::work::ToProvider;
use opensky_types::{
    JobId, NodeId,
    job::{JobSpec, JobState, Verify},
    reason::Reason,
    receipt::ReceiptStanding,
    task::Content,
};

const QUORUM: Verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 4 };

/// A consumer, honest providers and one that lies, all asked for the same job.
async fn sky_with(lie: Lie) -> (Sky, Peer) {
    let sky =
        Sky::new(3, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(100)))
            .await;
    let peer = sky.provider(77, lie).await;
    (sky, peer)
}

fn job(sky: &Sky, peer: &Peer, verify: Verify) -> JobSpec {
    let mut spec = numbers_job(sky.program(0), 40, verify);
    spec.stages[0].constraints.peers = vec![sky.id(1), sky.id(2), peer.id()];
    spec
}

async fn assert_right(consumer: &Handle, job: JobId) {
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let accepted = consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 1_000).await.expect("runs");
    let mut tasks: Vec<u32> = accepted.iter().map(|run| run.task.index).collect();
    tasks.sort_unstable();
    assert_eq!(tasks, (0..40).collect::<Vec<_>>(), "each task is accepted once");
    for run in accepted {
        assert_eq!(run.outcome.stdout(), &Content::Inline(run.task.index.to_string().into_bytes()));
    }
}

async fn is_connected(consumer: &Handle, node: NodeId) -> bool {
    consumer.network().await.expect("node answers").peers.iter().any(|peer| peer.node == node)
}

async fn is_dropped(lie: Lie, verify: Verify) {
    let (sky, peer) = sky_with(lie).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(job(&sky, &peer, verify)).await.expect("job is taken");
    assert_right(consumer, job).await;
    assert!(peer.was_assigned(), "the liar was asked");
    assert!(!is_connected(consumer, peer.id()).await, "{lie:?}: a node that breaks the protocol is dropped");
    let runs = consumer.runs(job, |_| true, 0, 1_000).await.expect("runs");
    assert!(runs.iter().all(|run| run.node != peer.id()), "{lie:?}: nothing of it counts");
}

#[tokio::test(start_paused = true)]
async fn a_hand_written_provider_that_is_honest_is_believed() {
    let (sky, peer) = sky_with(Lie::None).await;
    let consumer = &sky.nodes[0].handle;
    for verify in [Verify::None, QUORUM] {
        let job = consumer.submit(job(&sky, &peer, verify)).await.expect("job is taken");
        assert_right(consumer, job).await;
        let runs = consumer.runs(job, |_| true, 0, 1_000).await.expect("runs");
        assert!(runs.iter().any(|run| run.node == peer.id()), "it did some of it");
    }
    assert!(is_connected(consumer, peer.id()).await);
}

#[tokio::test(start_paused = true)]
async fn c1_results_signed_by_another_key_end_the_provider() {
    is_dropped(Lie::BadSignature, Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn c1_results_under_another_root_end_the_provider() {
    is_dropped(Lie::OtherReceipts, Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn c1_results_of_tasks_that_do_not_exist_end_the_provider() {
    is_dropped(Lie::ForeignTask, Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn p3_a_long_engine_name_ends_the_provider() {
    is_dropped(Lie::LongEngine, Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn p3_more_output_than_agreed_ends_the_provider() {
    is_dropped(Lie::HugeOutput, Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn p3_a_standing_of_millions_ends_the_provider() {
    is_dropped(Lie::LongStanding, Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn w4_output_paths_that_escape_end_the_provider() {
    is_dropped(Lie::UnsafePath, Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn v1_failures_that_only_a_consumer_can_name_end_the_provider() {
    is_dropped(Lie::ConsumersWord, Verify::None).await;
}

/// Results for tasks that were given to others prove nothing: they are not used.
#[tokio::test(start_paused = true)]
async fn c2_results_of_others_tasks_do_not_count() {
    let (sky, peer) = sky_with(Lie::TaskOfOthers).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(job(&sky, &peer, Verify::None)).await.expect("job is taken");
    assert_right(consumer, job).await;
    assert!(peer.was_assigned());
}

async fn breaks_commitment(lie: Lie) {
    let (sky, peer) = sky_with(lie).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(job(&sky, &peer, QUORUM)).await.expect("job is taken");
    assert_right(consumer, job).await;
    let runs = consumer.runs(job, |_| true, 0, 1_000).await.expect("runs");
    let of_peer: Vec<Verdict> = runs.iter().filter(|run| run.node == peer.id()).map(|r| r.verdict).collect();
    assert!(
        !of_peer.is_empty() && of_peer.iter().all(|verdict| *verdict == Verdict::Rejected),
        "{of_peer:?}"
    );
    let notes = consumer.notes(job).await.expect("notes");
    let named = |reason: &Reason| matches!(reason, Reason::BrokenCommitment { node } if *node == peer.id());
    assert!(notes.iter().any(|note| named(&note.reason)), "the liar is named");
}

#[tokio::test(start_paused = true)]
async fn c2_another_result_than_committed_is_rejected() {
    breaks_commitment(Lie::OtherThanCommitted).await;
}

#[tokio::test(start_paused = true)]
async fn c2_another_salt_than_committed_is_rejected() {
    breaks_commitment(Lie::WrongSalt).await;
}

/// A batch that comes twice is signed for and counted once; one that comes again later is answered
/// with the same signature.
#[tokio::test(start_paused = true)]
async fn f15_repeated_results_are_not_counted_twice() {
    for lie in [Lie::Repeats, Lie::RepeatsWhenSigned] {
        let (sky, peer) = sky_with(lie).await;
        let consumer = &sky.nodes[0].handle;
        let job = consumer.submit(job(&sky, &peer, Verify::None)).await.expect("job is taken");
        let signed = |message: &ToProvider| matches!(message, ToProvider::Countersign { .. });
        assert_right(consumer, job).await;
        until(|| async { peer.heard(signed) > 0 }).await;
        assert!(is_connected(consumer, peer.id()).await, "repeating is no crime");
        let mut signatures = Vec::new();
        for message in &peer.heard.lock().expect("no panic").messages {
            if let ToProvider::Countersign { countersignature, .. } = message {
                let content = countersignature.verify().expect("it is signed");
                signatures.push((content.root, content.accepted));
            }
        }
        signatures.sort_unstable();
        signatures.dedup();
        let roots: std::collections::BTreeSet<_> = signatures.iter().map(|(root, _)| *root).collect();
        assert_eq!(roots.len(), signatures.len(), "{lie:?}: one word on each batch");
        let of_peer = peer.id();
        let runs = consumer.runs(job, move |run| run.node == of_peer, 0, 1_000).await.expect("runs");
        for run in runs.iter().filter(|run| run.verdict == Verdict::Accepted) {
            let proof =
                consumer.receipt(run.receipt.expect("receipt")).await.expect("journal").expect("kept");
            assert_eq!(proof.verify(), Ok(ReceiptStanding::Accepted));
        }
    }
}

/// A sender that flips one byte is found out by the hash tree, and the task goes elsewhere.
#[tokio::test(start_paused = true)]
async fn f5_a_corrupt_blob_is_never_taken() {
    let sky =
        Sky::new(3, |_| FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()).in_ms(100)))
            .await;
    let peer = sky.provider(77, Lie::CorruptBlob).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(job(&sky, &peer, Verify::None)).await.expect("job is taken");
    assert_right(consumer, job).await;
    let of_peer = peer.id();
    let runs = consumer.runs(job, move |run| run.node == of_peer, 0, 1_000).await.expect("runs");
    assert!(!runs.is_empty() && runs.iter().all(|run| run.verdict == Verdict::Failed));
    for run in runs {
        let receipt = run.receipt.expect("it signed");
        until(|| async {
            let proof = consumer.receipt(receipt).await.expect("journal").expect("kept");
            proof.verify() == Ok(ReceiptStanding::Rejected)
        })
        .await;
    }
}

/// A provider that does not answer costs a few seconds, and nothing stays open towards it.
#[tokio::test(start_paused = true)]
async fn f10_a_mute_provider_is_left_alone() {
    let (sky, peer) = sky_with(Lie::Mute).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(job(&sky, &peer, Verify::None)).await.expect("job is taken");
    assert_right(consumer, job).await;
    assert!(!peer.was_assigned());
}
