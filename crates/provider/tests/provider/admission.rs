//! Which terms are accepted, and with how many slots.

use crate::common::{
    ALICE, BOB, GIB, Node, agreement, assignment, config, engine, hardware, limits, task, terms,
};
use opensky_provider::{Config, Effect, Input, Provider};
use opensky_types::{
    Hash, Micros, NodeId, TaskId, Timestamp,
    agreement::Terms,
    limits::ContributionLimits,
    place::Level,
    reason::Misfit,
    resources::Limit,
    task::{Content, TaskInput},
};

#[test]
fn terms_beyond_the_offer_are_refused_with_the_reason() {
    type Spoil = fn(&mut Terms);
    let table: [(Misfit, Spoil); 15] = [
        (Misfit::Terms, |t| t.sky = Hash::of(b"other sky")),
        (Misfit::Terms, |t| t.provider = BOB),
        (Misfit::Terms, |t| t.consumer = BOB),
        (Misfit::Terms, |t| t.slots = 0),
        (Misfit::Terms, |t| t.program.size_bytes = GIB),
        (Misfit::Level, |t| t.program.level = Level::Function),
        (Misfit::Price, |t| t.price_per_gfuel = Micros::new(1)),
        (Misfit::TaskLimit(Limit::Memory), |t| t.limits.memory_bytes = 4 * GIB + 1),
        (Misfit::TaskLimit(Limit::Memory), |t| t.limits.memory_bytes = 0),
        (Misfit::TaskLimit(Limit::Fuel), |t| t.limits.fuel = u64::MAX),
        (Misfit::TaskLimit(Limit::Fuel), |t| t.limits.fuel = 0),
        (Misfit::TaskLimit(Limit::Time), |t| t.limits.wall_ms = u64::MAX),
        (Misfit::TaskLimit(Limit::Time), |t| t.limits.wall_ms = 0),
        (Misfit::TaskLimit(Limit::Scratch), |t| t.limits.scratch_bytes = 5 * GIB + 1),
        (Misfit::TaskLimit(Limit::Output), |t| t.limits.output_bytes = 5 * GIB + 1),
    ];
    for (misfit, spoil) in table {
        let mut node = Node::new(config());
        node.tell(Input::Engines(vec![engine(&[Level::Vm])]));
        let mut spoiled = terms(ALICE, 1, 4);
        spoil(&mut spoiled);
        let input = Input::Proposed { from: ALICE, agreement: agreement(1), terms: Box::new(spoiled) };
        node.tell(input);
        assert_eq!(node.effects, vec![Effect::Refuse { to: ALICE, agreement: agreement(1), misfit }]);
    }
}

#[test]
fn c2_agreements_end_with_the_engine_that_runs_them() {
    let (wasm, docker) = (engine(&[Level::Vm]), engine(&[Level::Container]));
    let mut node = Node::new(config());
    node.tell(Input::Engines(vec![wasm.clone(), docker.clone()]));
    assert_eq!(node.core.offer().engines, [wasm.clone(), docker.clone()]);
    let mut in_container = terms(ALICE, 2, 1);
    in_container.program.level = Level::Container;
    // An image may be larger than a WASM program.
    in_container.program.size_bytes = GIB;
    assert_eq!(node.propose(1, terms(ALICE, 1, 1)), Ok(1));
    assert_eq!(node.propose(2, in_container.clone()), Ok(1));

    node.tell(Input::Engines(vec![wasm.clone(), docker]));
    assert!(node.effects.is_empty(), "nothing has changed: {:?}", node.effects);
    node.tell(Input::Engines(vec![wasm]));
    let end = Effect::End { to: ALICE, agreement: agreement(2), misfit: Misfit::Level };
    assert_eq!(node.effects, [Effect::Release { agreement: agreement(2) }, end, Effect::OfferChanged]);
    assert!(node.core.terms(agreement(1)).is_some(), "the other engine is still there");
    assert_eq!(node.propose(3, in_container), Err(Misfit::Level));
}

#[test]
fn an_agreement_is_held_before_it_is_accepted_and_repeated_without_harm() {
    let mut node = Node::new(config());
    assert_eq!(node.propose(1, terms(ALICE, 1, 9)), Ok(4), "no more than there are");
    assert!(matches!(
        &node.effects[..],
        [Effect::Hold { .. }, Effect::Accept { .. }, Effect::FetchProgram { .. }, Effect::OfferChanged]
    ));
    assert_eq!(node.propose(1, terms(ALICE, 1, 9)), Ok(4));
    assert_eq!(node.effects.len(), 1, "only the answer again: {:?}", node.effects);
}

#[test]
fn nothing_is_offered_before_the_machine_is_known() {
    let mut core = Provider::new(config());
    assert_eq!((core.offer().slots_total, core.offer().note), (0, "starting"));
    let mut effects = Vec::new();
    core.handle(Timestamp::from_millis(1), Input::Limits(limits()), &mut effects);
    assert_eq!(effects, Vec::new());
    core.handle(Timestamp::from_millis(2), Input::Hardware(hardware()), &mut effects);
    assert_eq!(core.offer().note, "low-memory", "no reading yet says that there is any memory");
}

#[test]
fn slots_follow_the_share_of_the_processor() {
    for (cpu_percent, cores, slots) in
        [(50, 8, 4), (1, 8, 1), (100, 3, 3), (40, 2, 1), (0, 8, 0), (200, 4, 4)]
    {
        let mut node = Node::new(config());
        node.tell(Input::Limits(ContributionLimits { cpu_percent, ..limits() }));
        node.tell(Input::Hardware(opensky_types::resources::HardwareProfile {
            cpu_cores: cores,
            ..hardware()
        }));
        assert_eq!(node.core.offer().slots_total, slots);
    }
}

/// Nobody waits behind a long job of another: a busy machine is shared (users' pain 3).
#[test]
fn a_newcomer_gets_a_fair_share_and_a_second_helping_does_not() {
    let mut node = Node::new(config());
    assert_eq!(node.agree(1, terms(ALICE, 1, 4)), 4);
    assert_eq!(node.core.offer().slots_free, 0);
    assert_eq!(node.core.offer().note, "full");
    assert_eq!(node.propose(2, terms(ALICE, 1, 4)), Err(Misfit::Full), "the same stage again");
    assert_eq!(node.propose(3, terms(BOB, 1, 4)), Ok(2));
    assert_eq!(node.propose(4, terms(ALICE, 2, 4)), Ok(2), "another job of the same consumer");
}

#[test]
fn p3_the_number_of_agreements_is_bounded() {
    let mut node = Node::new(Config { agreements_max: 3, agreements_per_consumer_max: 2, ..config() });
    assert!(node.propose(1, terms(ALICE, 1, 1)).is_ok());
    assert!(node.propose(2, terms(ALICE, 2, 1)).is_ok());
    assert_eq!(node.propose(3, terms(ALICE, 3, 1)), Err(Misfit::Full));
    assert!(node.propose(4, terms(BOB, 1, 1)).is_ok());
    let carol = NodeId::from_public_key([3; 32]);
    assert_eq!(node.propose(5, terms(carol, 1, 1)), Err(Misfit::Full));
}

#[test]
fn p3_malformed_assignments_end_the_agreement() {
    let large = Content::Inline(vec![0; 4 * 1024 + 1]);
    let inputs = [
        TaskInput { item: "x".repeat(5_000), stdin: Vec::new() },
        TaskInput { item: String::new(), stdin: vec![Content::empty(); 5_000] },
        TaskInput { item: String::new(), stdin: vec![large] },
    ];
    let mut spoiled: Vec<Vec<_>> = Vec::new();
    for input in inputs {
        spoiled.push(vec![opensky_types::task::Assignment { input, ..assignment(task(0)) }]);
    }
    let mut other_stage = assignment(task(0));
    other_stage.task = TaskId { stage: 1, index: 0 };
    spoiled.push(vec![other_stage]);
    spoiled.push((0..1_025).map(|index| assignment(task(index))).collect());
    for tasks in spoiled {
        let mut node = Node::new(config());
        node.agree(1, terms(ALICE, 1, 4));
        node.tell(Input::Assigned { from: ALICE, agreement: agreement(1), tasks });
        assert!(matches!(node.effects[0], Effect::Breach { by: ALICE, .. }));
        assert_eq!(node.ended(), vec![(agreement(1), Misfit::Terms)]);
        assert!(node.core.terms(agreement(1)).is_none());
    }
}

#[test]
fn another_consumers_agreement_is_as_good_as_unknown() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 4));
    node.assign(1, ALICE, 0..3);
    let id = agreement(1);
    node.assign(1, BOB, 0..3);
    assert_eq!(node.effects, vec![Effect::End { to: BOB, agreement: id, misfit: Misfit::Terms }]);
    node.tell(Input::Resume { from: BOB, agreement: id });
    assert_eq!(node.ended(), vec![(id, Misfit::Terms)]);
    for input in [
        Input::CancelTasks { from: BOB, agreement: id, tasks: vec![task(0).task] },
        Input::Close { from: BOB, agreement: id },
    ] {
        node.tell(input);
        assert_eq!(node.effects, Vec::new());
    }
    assert_eq!(node.core.load(), (3, 0));
}

/// J1: two bombs of 3 GiB never run side by side in 4 GiB.
#[test]
fn j1_running_tasks_stay_within_the_memory_together() {
    let mut node = Node::new(config());
    let mut large = terms(ALICE, 1, 4);
    large.limits.memory_bytes = 3 * GIB;
    node.agree(1, large);
    node.assign(1, ALICE, 0..2);
    let runs = node.runs();
    assert_eq!(runs.len(), 1);
    let mut small = terms(BOB, 1, 4);
    small.limits.memory_bytes = GIB;
    node.agree(2, small);
    node.assign(2, BOB, 0..2);
    assert_eq!(node.runs().len(), 1, "one of them fits beside");
    node.end_all(runs[0].0, 1, 1_000);
    assert_eq!(node.runs().len(), 1);
    assert_eq!(node.core.load().0, 2);
}
