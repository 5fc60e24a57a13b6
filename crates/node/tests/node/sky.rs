//! What nodes learn of each other, and what their users see.

use crate::support::{
    Sky, finish, numbers_job,
    peer::{Lie, blob_of, read, write},
    stage, until,
};
use opensky_node::{End, JobEvent, LogChunk};
use opensky_ports::{
    BlobStore, LogStream, Transport,
    journal::Verdict,
    testing::{FakeExecutor, FakeRun, MemoryBlobs, MemoryJournal},
};
use opensky_protocol::{
    Message, TOPIC_OFFERS,
    frame::HEADER_BYTES,
    work::{self, ToConsumer, ToProvider},
};
use opensky_types::{
    Keypair, Signed, TaskId, Timestamp,
    agreement::Terms,
    codec,
    job::{Blob, JobState, StageInputs, Verify},
    reason::Misfit,
    samples,
    task::{Assignment, Content, TaskInput},
};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn echo_in_ms(millis: u64) -> FakeExecutor {
    FakeExecutor::new(move |_, item| FakeRun::writes(item.input.item.clone()).in_ms(millis))
}

/// Where gossip brings nothing, the DHT is asked, and whoever is found there.
#[tokio::test(start_paused = true)]
async fn p2_providers_are_found_without_gossip() {
    for named in [true, false] {
        let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
        let peer = sky.quiet_provider(77, Lie::None).await;
        let consumer = &sky.nodes[0].handle;
        let known = consumer.offers().await.expect("node answers");
        assert!(known.iter().all(|view| view.own), "gossip brought nothing");
        let mut spec = numbers_job(sky.program(0), 5, Verify::None);
        if named {
            spec.stages[0].constraints.peers = vec![peer.id()];
        } else {
            spec.stages[0].constraints.peers_excluded = vec![sky.id(0)];
        }
        let job = consumer.submit(spec).await.expect("job is taken");
        assert_eq!(finish(consumer, job).await, JobState::Succeeded, "named: {named}");
    }
}

/// A newcomer asks its neighbours what they know, and need not wait for gossip.
#[tokio::test(start_paused = true)]
async fn p2_a_newcomer_learns_all_offers_at_once() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let peer = sky.provider(77, Lie::None).await;
    let blobs = Arc::new(MemoryBlobs::new(1 << 30));
    let executor = Arc::new(FakeExecutor::echo());
    let key = Keypair::from_seed([60; 32]);
    let newcomer = sky.start(&key, MemoryJournal::new(), blobs, executor, 1).await;
    until(|| async {
        let offers = newcomer.handle.offers().await.expect("node answers");
        offers.iter().any(|view| view.offer.node == peer.id())
    })
    .await;
}

/// An offer that is not its node's own word is not passed on, and not believed.
#[tokio::test(start_paused = true)]
async fn p2_forged_offers_go_nowhere() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let (key, transport, _events) = sky.stranger(77).await;
    let victim = Keypair::from_seed([88; 32]);
    let offer = sky.offer_of(&victim, 1).verify().expect("it is signed");
    let forged = [
        codec::encode(&Signed::sign(&offer, &key)),
        codec::encode(&sky.offer_of(&victim, 1))[1..].to_vec(),
        vec![0; 40_000],
    ];
    for bytes in forged {
        transport.gossip(TOPIC_OFFERS, bytes);
    }
    use opensky_ports::transport::GossipVerdict::Reject;
    let judged = || sky.network.verdicts().into_iter().filter(|(_, from, _)| *from == key.id());
    until(|| async { judged().count() >= 6 }).await;
    assert!(judged().all(|(_, _, verdict)| verdict == Reject));
    let offers = sky.nodes[0].handle.offers().await.expect("node answers");
    assert!(offers.iter().all(|view| view.offer.node != victim.id()));
}

/// A data folder that was copied: the copy's offers give it away, and the node stops.
#[tokio::test(start_paused = true)]
async fn a_twin_ends_the_node() {
    let mut sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let (_, transport, _events) = sky.stranger(77).await;
    let node = sky.nodes.remove(1);
    let offer = sky.offer_of(&node.key, (1 << 32) + 1_000);
    transport.gossip(TOPIC_OFFERS, codec::encode(&offer));
    assert_eq!(node.end.await.expect("it ends in order"), End::Twin);
}

/// Output is seen while a task runs, here and elsewhere, and the view ends with the task.
#[tokio::test(start_paused = true)]
async fn a_running_tasks_output_can_be_followed() {
    let sky = Sky::new(2, |_| echo_in_ms(60_000)).await;
    let consumer = &sky.nodes[0].handle;
    for provider in [0, 1] {
        let mut spec = numbers_job(sky.program(0), 1, Verify::None);
        spec.stages[0].constraints.peers = vec![sky.id(provider)];
        let job = consumer.submit(spec).await.expect("job is taken");
        let task = TaskId { stage: 0, index: 0 };
        until(|| async {
            let progress = consumer.progress(job).await.expect("node answers");
            progress.is_some_and(|view| view.stages[0].running == 1)
        })
        .await;
        let mut chunks = consumer.follow(job, task).await.expect("node answers");
        let seen = LogChunk { stream: LogStream::Stdout, bytes: b"0".to_vec() };
        assert_eq!(chunks.recv().await, Some(seen));
        assert_eq!(chunks.recv().await, None, "the task has ended");
        assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    }
}

/// Watchers see a job move on, and its end last.
#[tokio::test(start_paused = true)]
async fn watchers_see_a_job_from_start_to_end() {
    let sky = Sky::new(2, |_| echo_in_ms(1_000)).await;
    let consumer = &sky.nodes[0].handle;
    let mut events = consumer.watch();
    let job = consumer.submit(numbers_job(sky.program(0), 40, Verify::None)).await.expect("job is taken");
    let (mut states, mut accepted) = (Vec::new(), Vec::new());
    while states.last() != Some(&JobState::Succeeded) {
        match events.recv().await.expect("a quick reader misses nothing") {
            JobEvent::Changed { job: of, state } if of == job => states.push(state),
            JobEvent::Progress { job: of, progress } if of == job => {
                accepted.push(progress.stages[0].accepted)
            }
            _ => {}
        }
    }
    assert_eq!(states, [JobState::Waiting, JobState::Running, JobState::Succeeded]);
    assert!(accepted.len() > 2 && accepted.is_sorted(), "{accepted:?}");
    assert_eq!(accepted.last(), Some(&40));
}

/// Inputs and outputs of some MiB travel whole.
#[tokio::test(start_paused = true)]
async fn large_blobs_travel_both_ways() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let consumer = &sky.nodes[0].handle;
    let program = sky.program(0);

    let bytes: Vec<u8> = (0..5_500_000u32).map(|n| (n % 251) as u8).collect();
    let input: Blob = consumer.blobs().put(&bytes).expect("room for a blob");
    let mut spec = numbers_job(program, 1, Verify::None);
    let cuts = vec![0, 2_000_000, 5_500_000];
    let inputs = StageInputs::Slices { blob: input, cuts };
    spec.stages = vec![
        stage("whole", program, StageInputs::One { stdin: Some(input) }, Verify::None),
        stage("slices", program, inputs, Verify::None),
    ];
    spec.stages.iter_mut().for_each(|stage| stage.constraints.peers = vec![sky.id(1)]);
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    for wanted in [&bytes[..], &bytes[..2_000_000], &bytes[2_000_000..]] {
        let there = sky.nodes[1].blobs.get(&opensky_types::Hash::of(wanted), 1 << 30).expect("store reads");
        assert_eq!(there.as_deref(), Some(wanted));
    }

    let peer = sky.provider(77, Lie::LargeOutput).await;
    let mut spec = numbers_job(program, 3, Verify::None);
    spec.stages[0].constraints.peers = vec![peer.id()];
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    for run in consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 10).await.expect("runs") {
        let Content::Blob(blob) = run.outcome.stdout() else { panic!("its outputs are blobs") };
        let here = consumer.blobs().get(&blob.hash, 1 << 30).expect("store reads");
        assert_eq!(here, Some(blob_of(run.task)));
    }
}

/// Outputs that are too large to wait in memory reach the stage that reads them all the same.
#[tokio::test(start_paused = true)]
async fn outputs_of_some_kib_reach_the_next_stage() {
    let sky = Sky::new(2, |_| {
        FakeExecutor::new(|batch, item| {
            let read: usize = item.input.stdin.iter().map(|content| content.size_bytes() as usize).sum();
            let total = batch.program.args.first().is_some_and(|arg| arg == "total");
            FakeRun::writes(if total { read.to_string().into_bytes() } else { vec![b'x'; 3_000] })
        })
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let program = sky.program(0);
    let mut spec = numbers_job(program, 100, Verify::None);
    let mut total = stage("total", program, StageInputs::Reduce { stage: 0, fan_in: 100 }, Verify::None);
    total.program.args = vec!["total".into()];
    spec.stages.push(total);
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    let runs = consumer.runs(job, |run| run.task.stage == 1, 0, 10).await.expect("runs");
    assert_eq!(runs[0].outcome.stdout(), &Content::Inline(b"300000".to_vec()));
}

fn terms(sky: &Sky, consumer: &Keypair, provider: usize, nonce: u64, now: Timestamp) -> Terms {
    Terms {
        sky: sky.genesis.sky(),
        consumer: consumer.id(),
        provider: sky.id(provider),
        made_at: now,
        nonce,
        orphan_grace_ms: 60_000,
        limits: Default::default(),
        price_per_gfuel: Default::default(),
        ..samples::terms()
    }
}

/// A consumer that floods a provider, or talks nonsense to it, gets nowhere and harms nobody.
#[tokio::test(start_paused = true)]
async fn p3_a_hostile_consumer_harms_nobody() {
    use opensky_ports::Clock;
    let sky = Sky::new(2, |_| echo_in_ms(50)).await;
    let provider = sky.id(1);
    let (key, transport, _events) = sky.stranger(77).await;
    let now = sky.clock.now();
    let mut stream = transport.open(provider, work::PROTOCOL).await.expect("it is connected");

    let signed = Signed::sign(&terms(&sky, &key, 1, 0, now), &Keypair::from_seed([5; 32]));
    let foreign = Signed::sign(&terms(&sky, &Keypair::from_seed([5; 32]), 1, 0, now), &key);
    for terms in [signed, foreign] {
        assert!(write(&mut stream, &ToProvider::Propose { terms }).await);
        let answer = read::<ToConsumer>(&mut stream).await;
        assert!(matches!(answer, Some(ToConsumer::Refuse { misfit: Misfit::Terms, .. })), "{answer:?}");
    }

    let mut accepted = Vec::new();
    for nonce in 1..=200 {
        let terms = Signed::sign(&terms(&sky, &key, 1, nonce, now), &key);
        assert!(write(&mut stream, &ToProvider::Propose { terms }).await);
        loop {
            match read::<ToConsumer>(&mut stream).await.expect("it answers") {
                ToConsumer::Accept { acceptance } => {
                    accepted.push(acceptance.verify().expect("it is signed").agreement);
                    break;
                }
                ToConsumer::Refuse { .. } => break,
                _ => {}
            }
        }
    }
    assert!(!accepted.is_empty() && accepted.len() <= 32, "{} agreements", accepted.len());

    for index in 0..5_000 {
        let (agreement, task) = (accepted[0], TaskId { stage: 0, index });
        assert!(write(&mut stream, &ToProvider::Follow { agreement, task, on: true }).await);
    }

    let consumer = &sky.nodes[0].handle;
    let mut spec = numbers_job(sky.program(0), 20, Verify::None);
    spec.stages[0].constraints.peers = vec![provider];
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded, "others are served meanwhile");

    let input = TaskInput { item: "x".repeat(100_000), stdin: Vec::new() };
    let task = TaskId { stage: samples::terms().stage, index: 0 };
    let tasks = vec![Assignment { task, attempt: 0, input }];
    assert!(write(&mut stream, &ToProvider::Assign { agreement: accepted[0], tasks }).await);
    until(|| async {
        let peers = sky.nodes[1].handle.network().await.expect("node answers").peers;
        peers.iter().all(|peer| peer.node != key.id())
    })
    .await;
}

/// Frames that lie about their length, or are no messages, end their stream and nothing else.
#[tokio::test(start_paused = true)]
async fn p3_broken_frames_end_their_stream() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let (_, transport, _events) = sky.stranger(77).await;
    let mut heartbeat = ToProvider::Heartbeat.to_frame();
    heartbeat.push(0);
    heartbeat[0] += 1;
    let broken = [vec![255; HEADER_BYTES], vec![4, 0, 0, 0, 99, 1, 2, 3], heartbeat];
    for frame in broken {
        let mut stream = transport.open(sky.id(0), work::PROTOCOL).await.expect("it is connected");
        stream.write_all(&frame).await.expect("it is read");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("it ends in order");
    }
    assert!(sky.nodes[0].handle.status().await.is_ok());
}
