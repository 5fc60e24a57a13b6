//! GPUs are one task's at a time, and images of registries are fetched by whoever runs them.

use crate::common::{ALICE, BOB, Node, agreement, config, engine, hardware, limits, terms};
use opensky_provider::{BatchId, Effect, Input, Reserved};
use opensky_types::{
    agreement::Terms,
    engine::Engine,
    job::{GpuNeed, Needs, Program},
    limits::ContributionLimits,
    offer::ContainerOffer,
    place::Level,
    reason::Misfit,
    resources::{Gpu, HardwareProfile},
    samples,
};

fn gpu(model: &str) -> Gpu {
    Gpu { model: model.into(), vendor: "nvidia".into(), memory_bytes: Some(16 << 30) }
}

fn with_containers(containers: ContainerOffer) -> Input {
    let containers = Engine { containers, ..engine(&[Level::Container]) };
    Input::Engines(vec![engine(&[Level::Function, Level::Vm]), containers])
}

/// A node whose owner shares so many of three GPUs, of which the engine can pass on the first and the last.
fn sharing(gpus: u8) -> Node {
    let mut node = Node::new(config());
    node.tell(with_containers(ContainerOffer { gpus: vec![0, 2], ..ContainerOffer::default() }));
    node.tell(Input::Limits(ContributionLimits { gpus, ..limits() }));
    let gpus = vec![gpu("A100"), gpu("A100"), gpu("T4")];
    node.tell(Input::Hardware(HardwareProfile { gpus, ..hardware() }));
    node
}

/// Terms of a program in a container.
fn contained(consumer: opensky_types::NodeId, job: u8, slots: u16, needs: Needs) -> Terms {
    let usual = terms(consumer, job, slots);
    let program = Program { level: Level::Container, deterministic: false, needs, ..usual.program };
    Terms { program, ..usual }
}

fn with_gpus(consumer: opensky_types::NodeId, job: u8, slots: u16, count: u8) -> Terms {
    contained(consumer, job, slots, Needs { gpus: Some(GpuNeed::any(count)), ..Needs::default() })
}

/// Batches started by the last input, and their GPUs.
fn started(node: &Node) -> Vec<(BatchId, Vec<u8>)> {
    let runs = node.effects.iter().filter_map(|effect| match effect {
        Effect::Run { batch, gpus, .. } => Some((*batch, gpus.clone())),
        _ => None,
    });
    runs.collect()
}

#[test]
fn c5_nothing_is_given_away_that_the_owner_does_not_share() {
    let mut node = sharing(0);
    assert_eq!(node.propose(1, with_gpus(ALICE, 1, 1, 1)), Err(Misfit::Gpu));
    assert!(node.core.offer().engines.iter().all(|engine| engine.containers.gpus.is_empty()));
    let mut node = sharing(1);
    assert_eq!(node.propose(1, with_gpus(ALICE, 1, 4, 2)), Err(Misfit::Gpu));
    assert_eq!(node.propose(2, with_gpus(ALICE, 1, 4, 1)), Ok(1));
    assert_eq!(node.core.offer().engines[1].containers.gpus, [0]);
    let model = GpuNeed { model: "t4".into(), ..GpuNeed::any(1) };
    let needs = Needs { gpus: Some(model), ..Needs::default() };
    assert_eq!(node.propose(3, contained(BOB, 1, 1, needs.clone())), Err(Misfit::Gpu));
    assert_eq!(sharing(2).propose(3, contained(BOB, 1, 1, needs)), Ok(1));
}

#[test]
fn c5_each_task_has_its_own_gpus_and_the_next_one_waits() {
    let mut node = sharing(2);
    assert_eq!(node.agree(1, with_gpus(ALICE, 1, 4, 1)), 2, "as many at a time as there are GPUs");
    node.assign(1, ALICE, 0..3);
    let running = started(&node);
    assert_eq!(running.iter().map(|(_, gpus)| gpus.clone()).collect::<Vec<_>>(), [[0], [2]]);
    node.agree(2, with_gpus(BOB, 2, 1, 1));
    node.assign(2, BOB, [0]);
    assert!(started(&node).is_empty(), "both are taken");
    // Programs without such needs are not held up.
    node.agree(3, contained(BOB, 3, 1, Needs::default()));
    node.assign(3, BOB, [0]);
    assert_eq!(started(&node).iter().map(|(_, gpus)| gpus.len()).collect::<Vec<_>>(), [0]);
    node.end_all(running[1].0, 1, 1_000);
    let next = started(&node);
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].1, [2], "the one that became free");
}

#[test]
fn c5_whoever_needs_many_gpus_is_not_starved_by_those_who_need_few() {
    let mut node = sharing(2);
    node.agree(1, with_gpus(ALICE, 1, 2, 1));
    node.assign(1, ALICE, 0..6);
    let few = started(&node);
    assert_eq!(few.len(), 2);
    node.agree(2, with_gpus(BOB, 2, 1, 2));
    node.assign(2, BOB, 0..2);
    node.end_all(few[0].0, 1, 60_000_000);
    assert!(started(&node).is_empty(), "it is left to whoever waits for two");
    node.end_all(few[1].0, 1, 60_000_000);
    let many = started(&node);
    assert_eq!(many.iter().map(|(_, gpus)| gpus.clone()).collect::<Vec<_>>(), [[0, 2]]);
    // Served, it waits in its turn, and has the next one: they go by turns while both have work.
    node.end_all(many[0].0, 1, 60_000_000);
    let few = started(&node);
    assert_eq!(few.iter().map(|(_, gpus)| gpus.len()).collect::<Vec<_>>(), [1]);
    node.end_all(few[0].0, 1, 60_000_000);
    let many = started(&node);
    assert_eq!(many.iter().map(|(_, gpus)| gpus.len()).collect::<Vec<_>>(), [2]);
    // Nobody else waits then.
    node.end_all(many[0].0, 1, 60_000_000);
    assert_eq!(started(&node).len(), 2);
    // What cannot be had anyway is left to nobody.
    let model = GpuNeed { model: "t4".into(), ..GpuNeed::any(1) };
    let mut node = sharing(2);
    node.agree(1, contained(ALICE, 1, 1, Needs { gpus: Some(model), ..Needs::default() }));
    node.assign(1, ALICE, 0..2);
    assert_eq!(started(&node)[0].1, [2]);
    node.agree(2, with_gpus(BOB, 2, 1, 1));
    node.assign(2, BOB, [0]);
    assert_eq!(started(&node)[0].1, [0], "another card than the one that is waited for");
}

#[test]
fn c5_services_take_gpus_from_tasks_and_the_other_way_round() {
    let mut node = sharing(2);
    node.agree(1, with_gpus(ALICE, 1, 1, 1));
    node.agree(2, with_gpus(BOB, 1, 1, 2));
    node.assign(1, ALICE, [0]);
    assert_eq!(started(&node)[0].1, [0]);
    assert_eq!(node.core.room(node.now).containers.gpus, [2], "the other one is left for services");
    node.tell(Input::Reserved(Reserved { gpus: vec![2], ..Reserved::default() }));
    assert_eq!(node.ended(), [(agreement(2), Misfit::Gpu)], "it would wait for ever");
    assert_eq!(node.core.offer().engines[1].containers.gpus, [0]);
    assert_eq!(node.propose(3, with_gpus(BOB, 2, 1, 2)), Err(Misfit::Gpu));
}

#[test]
fn c5_an_owner_who_takes_gpus_back_has_them() {
    let mut node = sharing(2);
    node.agree(1, with_gpus(ALICE, 1, 2, 1));
    node.assign(1, ALICE, 0..2);
    let running = started(&node);
    node.tell(Input::Limits(ContributionLimits { gpus: 1, ..limits() }));
    assert_eq!(node.stops(), [running[1].0], "what runs on the one that is not shared any more");
    node.tell(Input::Limits(ContributionLimits { gpus: 0, ..limits() }));
    assert_eq!(node.ended(), [(agreement(1), Misfit::Gpu)]);
    assert_eq!(node.stops(), [running[0].0]);
}

#[test]
fn c4_an_image_of_an_allowed_registry_is_ready_at_once() {
    let needy = samples::needy_program();
    let image = Needs { image: needy.needs.image.clone(), ..Needs::default() };
    let from_registry = |needs: Needs| {
        let usual = contained(ALICE, 1, 1, needs);
        let program = Program { hash: needy.hash, size_bytes: 0, ..usual.program };
        Terms { program, ..usual }
    };
    let mut node = sharing(0);
    assert_eq!(node.propose(1, from_registry(image.clone())), Err(Misfit::Registry));
    let registries = vec!["ghcr.io/owner".into()];
    node.tell(with_containers(ContainerOffer { registries, ..ContainerOffer::default() }));
    assert_eq!(node.propose(1, from_registry(image.clone())), Ok(1));
    assert!(!node.effects.iter().any(|effect| matches!(effect, Effect::FetchProgram { .. })));
    node.assign(1, ALICE, [0]);
    assert_eq!(started(&node).len(), 1);
    // What no honest consumer sends.
    assert_eq!(node.propose(2, contained(ALICE, 2, 1, image)), Err(Misfit::Terms), "another hash");
    let wasm = Terms {
        program: Program { level: Level::Vm, ..from_registry(needy.needs).program },
        ..terms(ALICE, 3, 1)
    };
    assert_eq!(node.propose(3, wasm), Err(Misfit::Terms));
}
