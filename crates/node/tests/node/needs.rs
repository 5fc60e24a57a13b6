//! Programs in containers go where what they need is: a registry, an isolation, GPUs.

use crate::support::{Sky, finish, numbers_job, service_spec, until};
use opensky_node::{Handle, ServiceState};
use opensky_ports::testing::{FakeExecutor, FakeRun};
use opensky_types::{
    JobId, NodeId,
    job::{GpuNeed, ImageRef, Isolation, JobSpec, JobState, Needs, Program, Verify},
    limits::ContributionLimits,
    offer::ContainerOffer,
    place::Level,
    reason::Reason,
    service::ServiceSpec,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

fn offering(offer: ContainerOffer) -> FakeExecutor {
    FakeExecutor::echo().with_container_offer(offer)
}

fn image() -> ImageRef {
    format!("ghcr.io/owner/tool@sha256:{}", "0a".repeat(32)).parse().expect("a name")
}

/// Numbers from a program in a container with these needs.
fn job(sky: &Sky, tasks: i64, needs: Needs) -> JobSpec {
    let mut spec = numbers_job(sky.program(0), tasks, Verify::None);
    let program = &spec.stages[0].program;
    let (hash, size_bytes) =
        needs.image.as_ref().map_or((program.hash, program.size_bytes), |image| (image.hash(), 0));
    let (level, deterministic) = (Level::Container, false);
    spec.stages[0].program = Program { hash, size_bytes, level, deterministic, needs, ..program.clone() };
    spec.wait_ms = 0;
    spec
}

async fn nodes_of(consumer: &Handle, job: JobId) -> BTreeSet<NodeId> {
    let runs = consumer.runs(job, |_| true, 0, 1_000).await.expect("runs");
    runs.iter().map(|run| run.node).collect()
}

async fn why(consumer: &Handle, job: JobId) -> String {
    let notes = consumer.notes(job).await.expect("notes");
    let nobody = notes.iter().find_map(|note| match &note.reason {
        Reason::NobodyFits { counts, .. } => Some(counts.to_string()),
        _ => None,
    });
    nobody.unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn c4_an_image_of_a_registry_runs_where_its_owner_allows_that() {
    let sky = Sky::new(3, |index| {
        let registries = match index {
            2 => vec!["docker.io".to_owned(), "ghcr.io/owner".to_owned()],
            _ => vec!["docker.io".to_owned()],
        };
        offering(ContainerOffer { registries, ..ContainerOffer::default() })
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let needs = Needs { image: Some(image()), ..Needs::default() };
    let there = consumer.submit(job(&sky, 20, needs)).await.expect("no blob of it is looked for");
    assert_eq!(finish(consumer, there).await, JobState::Succeeded);
    assert_eq!(nodes_of(consumer, there).await, BTreeSet::from([sky.id(2)]));
    let elsewhere = format!("quay.io/a/b@sha256:{}", "0a".repeat(32)).parse().expect("a name");
    let needs = Needs { image: Some(elsewhere), ..Needs::default() };
    let nowhere = consumer.submit(job(&sky, 1, needs)).await.expect("job is taken");
    assert_eq!(finish(consumer, nowhere).await, JobState::Failed);
    assert_eq!(why(consumer, nowhere).await, "0 of 3 nodes fit: 3 registry not allowed");
}

#[tokio::test(start_paused = true)]
async fn j2_a_program_that_asks_for_gvisor_runs_in_it_or_nowhere() {
    let sky = Sky::new(3, |index| {
        let isolations = if index == 1 { vec![Isolation::Gvisor] } else { Vec::new() };
        offering(ContainerOffer { isolations, ..ContainerOffer::default() })
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let needs = Needs { isolation: Isolation::Gvisor, ..Needs::default() };
    let within = consumer.submit(job(&sky, 20, needs.clone())).await.expect("job is taken");
    assert_eq!(finish(consumer, within).await, JobState::Succeeded);
    assert_eq!(nodes_of(consumer, within).await, BTreeSet::from([sky.id(1)]));
    let mut only = job(&sky, 1, needs);
    only.stages[0].constraints.peers_excluded = vec![sky.id(1)];
    let nowhere = consumer.submit(only).await.expect("job is taken");
    assert_eq!(finish(consumer, nowhere).await, JobState::Failed);
    let excluded = "0 of 3 nodes fit: 1 excluded by name, 2 isolation not offered";
    assert_eq!(why(consumer, nowhere).await, excluded);
}

#[tokio::test(start_paused = true)]
async fn c5_gpus_are_given_when_their_owner_shares_them_and_to_one_task_at_a_time() {
    let given: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let sees = given.clone();
    let gpus = ContainerOffer { gpus: vec![0, 1], ..ContainerOffer::default() };
    let sky = Sky::new(2, move |index| {
        if index == 0 {
            return FakeExecutor::echo();
        }
        let sees = sees.clone();
        let executor = FakeExecutor::new(move |batch, item| {
            sees.lock().expect("no panic").push(batch.gpus.clone());
            FakeRun::writes(item.input.item.clone()).in_ms(2_000)
        });
        executor.with_container_offer(gpus.clone())
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let needs = Needs { gpus: Some(GpuNeed { model: "9000".into(), ..GpuNeed::any(1) }), ..Needs::default() };
    let refused = consumer.submit(job(&sky, 1, needs.clone())).await.expect("job is taken");
    assert_eq!(finish(consumer, refused).await, JobState::Failed);
    assert_eq!(why(consumer, refused).await, "0 of 2 nodes fit: 1 level not offered, 1 too few GPUs");
    let provider = &sky.nodes[1].handle;
    let limits = ContributionLimits { gpus: 2, ..ContributionLimits::default() };
    provider.set_limits(limits).await.expect("limits are taken");
    let mut spec = job(&sky, 4, needs);
    spec.wait_ms = 60_000;
    let shared = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, shared).await, JobState::Succeeded);
    let mut given = given.lock().expect("no panic").clone();
    given.sort();
    assert_eq!(given, [[0], [0], [1], [1]], "each its own, both used");
}

#[tokio::test(start_paused = true)]
async fn c10_a_service_goes_where_its_needs_are_met() {
    let rich = ContainerOffer {
        isolations: vec![Isolation::Gvisor],
        registries: vec!["ghcr.io".into()],
        gpus: vec![0],
    };
    let sky =
        Sky::new(3, |index| offering(if index == 2 { rich.clone() } else { ContainerOffer::default() }))
            .await;
    let limits = ContributionLimits { gpus: 1, ..ContributionLimits::default() };
    sky.nodes[2].handle.set_limits(limits).await.expect("limits are taken");
    let owner = &sky.nodes[0].handle;
    let needs = Needs { image: Some(image()), gpus: Some(GpuNeed::any(1)), ..Needs::default() };
    let usual = service_spec(&sky, 0, "model", "hello", 1);
    let program = Program { hash: image().hash(), size_bytes: 0, needs, ..usual.program };
    owner.declare_service(ServiceSpec { program, ..usual }).await.expect("no blob of it is looked for");
    let model = || async {
        let name = "model".parse().expect("a name");
        owner.service(name).await.ok().filter(|view| view.state == ServiceState::Healthy)
    };
    until(|| async { model().await.is_some() }).await;
    let hosts: Vec<NodeId> =
        model().await.expect("it was there").replicas.iter().map(|replica| replica.node).collect();
    assert_eq!(hosts, [sky.id(2)]);
}
