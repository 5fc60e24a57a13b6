//! Random lives of a provider, with consumers that cancel, vanish and return, an executor that
//! stops when told, and an owner who keeps changing the limits.

use crate::common::{
    ALICE, BOB, GIB, Node, agreement, assignment, blob_assignment, config, exited, failed, limits, readings,
    terms,
};
use opensky_provider::{BatchId, Config, DeliveryId, Effect, Input, TaskAttempt, TaskEnd};
use opensky_types::{
    AgreementId, Hash, NodeId, TaskId,
    agreement::Terms,
    limits::ContributionLimits,
    resources::{Readings, Usage},
    task::Failure,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_oneof};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Step {
    Propose { number: u8, slots: u16, commit_first: bool, memory_gib: u64 },
    Assign { number: u8, from: u32, count: u32, attempt: u32, with_blobs: bool },
    Arrive,
    FailToArrive,
    EndOne { pick: usize, wall_us: u64, fails: bool },
    EndMany { wall_us: u64 },
    Reveal { number: u8, index: u32 },
    Cancel { number: u8, index: u32 },
    Close { number: u8 },
    Countersign { pick: usize },
    Lose { bob: bool },
    Return { bob: bool },
    Limits { cpu_percent: u8, memory_gib: u64, share: bool },
    Heat { celsius: i16 },
    Pass { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..4_u8;
    prop_oneof![
        3 => (number.clone(), 1..6_u16, prop::bool::ANY, 1..3_u64).prop_map(
            |(number, slots, commit_first, memory_gib)| Step::Propose { number, slots, commit_first, memory_gib }),
        6 => (number.clone(), 0..30_u32, 1..12_u32, 0..2_u32, prop::bool::weighted(0.2)).prop_map(
            |(number, from, count, attempt, with_blobs)| Step::Assign { number, from, count, attempt, with_blobs }),
        5 => Just(Step::Arrive),
        1 => Just(Step::FailToArrive),
        6 => (0..8_usize, 1..30_000_u64, prop::bool::weighted(0.2)).prop_map(
            |(pick, wall_us, fails)| Step::EndOne { pick, wall_us, fails }),
        4 => (1..5_000_u64).prop_map(|wall_us| Step::EndMany { wall_us }),
        2 => (number.clone(), 0..42_u32).prop_map(|(number, index)| Step::Reveal { number, index }),
        2 => (number.clone(), 0..42_u32).prop_map(|(number, index)| Step::Cancel { number, index }),
        1 => number.prop_map(|number| Step::Close { number }),
        3 => (0..8_usize).prop_map(|pick| Step::Countersign { pick }),
        1 => prop::bool::ANY.prop_map(|bob| Step::Lose { bob }),
        2 => prop::bool::ANY.prop_map(|bob| Step::Return { bob }),
        1 => (0..=100_u8, 1..6_u64, prop::bool::weighted(0.9)).prop_map(
            |(cpu_percent, memory_gib, share)| Step::Limits { cpu_percent, memory_gib, share }),
        1 => (60..95_i16).prop_map(|celsius| Step::Heat { celsius }),
        2 => (0..9_000_u64).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// Who proposes agreement `number`.
fn consumer(number: u8) -> NodeId {
    if number.is_multiple_of(2) { ALICE } else { BOB }
}

/// The world around the core, as it follows from the effects alone.
struct World {
    node: Node,
    /// Tasks handed out under an open agreement and not settled: not reported, not cancelled.
    open: BTreeMap<AgreementId, BTreeSet<TaskAttempt>>,
    committed: BTreeMap<AgreementId, BTreeSet<TaskAttempt>>,
    /// Deliveries seen and not countersigned, and whose they are.
    deliveries: BTreeMap<DeliveryId, (AgreementId, NodeId, BTreeSet<TaskAttempt>)>,
    /// Cancelled tasks; a result that was on its way may still come.
    cancelled: BTreeSet<(AgreementId, TaskAttempt)>,
    programs: BTreeSet<AgreementId>,
    inputs: Vec<(AgreementId, TaskAttempt)>,
    batches: BTreeMap<BatchId, Running>,
}

struct Running {
    /// Items that have not ended, the next one last.
    left: Vec<u32>,
    is_stopped: bool,
}

impl World {
    fn new() -> Self {
        let node = Node::new(Config { queue_max: 24, kept_bytes_max: 6_000, ..config() });
        Self {
            node,
            open: BTreeMap::new(),
            committed: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            programs: BTreeSet::new(),
            inputs: Vec::new(),
            batches: BTreeMap::new(),
        }
    }

    fn tell(&mut self, input: Input) {
        let before = self.batches.len();
        self.node.tell(input);
        for effect in std::mem::take(&mut self.node.effects) {
            self.perform(effect);
        }
        let slots = usize::from(self.node.core.offer().slots_total);
        assert!(self.batches.len() <= slots.max(before), "more started than there are slots");
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Hold { agreement, .. } => {
                assert!(self.open.insert(agreement, BTreeSet::new()).is_none(), "held twice");
            }
            Effect::Release { agreement } => {
                assert!(self.open.remove(&agreement).is_some(), "released twice");
                self.committed.remove(&agreement);
                self.programs.remove(&agreement);
                self.inputs.retain(|(of, _)| *of != agreement);
                self.deliveries.retain(|_, (of, ..)| *of != agreement);
            }
            Effect::FetchProgram { agreement, .. } => assert!(self.programs.insert(agreement)),
            Effect::FetchInputs { agreement, inputs, .. } => {
                self.inputs.extend(inputs.into_iter().map(|input| (agreement, input.task)));
            }
            Effect::Run { batch, items, .. } => {
                let left = (0..items.len() as u32).rev().collect();
                self.batches.insert(batch, Running { left, is_stopped: false });
            }
            Effect::FundsLow { .. } => panic!("nothing is paid here"),
            Effect::Stop { batch } => {
                let running = self.batches.get_mut(&batch).expect("only what runs is stopped");
                assert!(!std::mem::replace(&mut running.is_stopped, true), "stopped twice");
            }
            Effect::Commit { agreement, commitments, .. } => {
                let committed = self.committed.entry(agreement).or_default();
                committed.extend(commitments.iter().map(|commitment| commitment.task));
            }
            Effect::Deliver { delivery, to, agreement, reports, receipts, again, .. } => {
                assert_eq!(reports.len(), receipts.len());
                let tasks: BTreeSet<TaskAttempt> = reports
                    .iter()
                    .map(|report| TaskAttempt { task: report.task, attempt: report.attempt })
                    .collect();
                assert_eq!(tasks.len(), reports.len(), "one report for each");
                if !again {
                    let open = self.open.get_mut(&agreement).expect("its agreement is open");
                    for task in &tasks {
                        let was_due = open.remove(task) || self.cancelled.remove(&(agreement, *task));
                        assert!(was_due, "{task:?} was reported twice or never assigned");
                    }
                }
                self.deliveries.insert(delivery, (agreement, to, tasks));
            }
            Effect::Dropped { agreement, tasks } => {
                // Whatever was not sent before it was dropped is lost, and said to be.
                if let Some(open) = self.open.get_mut(&agreement) {
                    open.retain(|task| !tasks.contains(task));
                }
                self.deliveries.retain(|_, (of, _, held)| *of != agreement || !held.contains(&tasks[0]));
            }
            Effect::Breach { .. } => panic!("these consumers keep to the protocol"),
            Effect::Accept { .. }
            | Effect::Refuse { .. }
            | Effect::End { .. }
            | Effect::Standing { .. }
            | Effect::OfferChanged => {}
        }
    }

    fn end(&mut self, batch: BatchId, outcome: Option<Failure>, wall_us: u64) {
        let Some(running) = self.batches.get_mut(&batch) else { return };
        let Some(item) = running.left.pop() else { return };
        let failure = if running.is_stopped { Some(Failure::Cancelled) } else { outcome };
        let outcome = failure.map_or_else(|| exited(&item.to_le_bytes()), failed);
        if running.left.is_empty() {
            self.batches.remove(&batch);
        }
        let usage = Usage { wall_us, ..Usage::default() };
        let (started_at, ended_at) = (self.node.now, self.node.now);
        let end = TaskEnd { batch, item, outcome, usage, started_at, ended_at };
        self.tell(Input::Ended { ends: vec![end] });
    }

    fn assign(&mut self, number: u8, tasks: Vec<TaskAttempt>, with_blobs: bool) {
        let (id, from) = (agreement(number), consumer(number));
        // A consumer does not hand out again what it has a result for.
        let done = |task: &TaskAttempt| {
            self.deliveries.values().any(|(of, _, held)| *of == id && held.contains(task))
        };
        let tasks: Vec<TaskAttempt> = tasks.into_iter().filter(|task| !done(task)).collect();
        if let Some(open) = self.open.get_mut(&id) {
            open.extend(tasks.iter().copied());
        }
        let assignments =
            tasks.iter().map(|task| if with_blobs { blob_assignment(*task, GIB) } else { assignment(*task) });
        self.tell(Input::Assigned { from, agreement: id, tasks: assignments.collect() });
    }

    fn cancel(&mut self, number: u8, task: TaskId) {
        let (id, from) = (agreement(number), consumer(number));
        self.tell(Input::CancelTasks { from, agreement: id, tasks: vec![task] });
        if let Some(open) = self.open.get_mut(&id) {
            let gone: Vec<TaskAttempt> = open.extract_if(.., |attempt| attempt.task == task).collect();
            self.cancelled.extend(gone.into_iter().map(|attempt| (id, attempt)));
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Propose { number, slots, commit_first, memory_gib } => {
                let mut terms = Terms { commit_first, ..terms(consumer(number), number, slots) };
                terms.limits.memory_bytes = memory_gib * GIB;
                let (from, agreement) = (consumer(number), agreement(number));
                self.tell(Input::Proposed { from, agreement, terms: Box::new(terms) });
            }
            Step::Assign { number, from, count, attempt, with_blobs } => {
                let index = from..from + count;
                let tasks = index.map(|index| TaskAttempt { task: TaskId { stage: 0, index }, attempt });
                self.assign(number, tasks.collect(), with_blobs);
            }
            Step::Arrive => self.arrive(),
            Step::FailToArrive => self.fail_to_arrive(),
            Step::EndOne { pick, wall_us, fails } => {
                let batch = self.batches.keys().nth(pick).copied();
                let failure = fails.then(|| Failure::Trap { message: "unreachable".into() });
                batch.into_iter().for_each(|batch| self.end(batch, failure.clone(), wall_us));
            }
            Step::EndMany { wall_us } => {
                for batch in self.batches.keys().copied().collect::<Vec<_>>() {
                    while self.batches.contains_key(&batch) {
                        self.end(batch, None, wall_us);
                    }
                }
            }
            Step::Reveal { number, index } => {
                let tasks = vec![TaskId { stage: 0, index }];
                self.tell(Input::Reveal { from: consumer(number), agreement: agreement(number), tasks });
            }
            Step::Cancel { number, index } => self.cancel(number, TaskId { stage: 0, index }),
            Step::Close { number } => {
                self.tell(Input::Close { from: consumer(number), agreement: agreement(number) });
            }
            Step::Countersign { pick } => {
                if let Some((delivery, (_, from, _))) = self.deliveries.iter().nth(pick) {
                    let (delivery, from) = (*delivery, *from);
                    self.deliveries.remove(&delivery);
                    self.tell(Input::Countersigned { from, delivery });
                }
            }
            Step::Lose { bob } => self.tell(Input::ConsumerLost { node: if bob { BOB } else { ALICE } }),
            Step::Return { bob } => self.come_back(if bob { BOB } else { ALICE }),
            Step::Limits { cpu_percent, memory_gib, share } => {
                let memory_bytes = memory_gib * GIB;
                self.tell(Input::Limits(ContributionLimits { cpu_percent, memory_bytes, share, ..limits() }));
            }
            Step::Heat { celsius } => {
                self.tell(Input::Readings(Readings { temperature_celsius: Some(celsius), ..readings() }));
            }
            Step::Pass { ms } => {
                self.node.now = self.node.now.plus_ms(ms);
                self.tell(Input::Tick);
            }
        }
    }

    fn arrive(&mut self) {
        for agreement in std::mem::take(&mut self.programs) {
            self.tell(Input::ProgramReady { agreement });
        }
        for (agreement, task) in std::mem::take(&mut self.inputs) {
            self.tell(Input::InputsReady { agreement, tasks: vec![task] });
        }
    }

    fn fail_to_arrive(&mut self) {
        let hash = Hash::of(b"lost");
        let failure = Failure::InputUnavailable { hash, message: "no source".into() };
        if let Some((agreement, task)) = self.inputs.pop() {
            self.tell(Input::InputsFailed { agreement, task, failure });
        } else if let Some(agreement) = self.programs.pop_first() {
            self.tell(Input::ProgramFailed { agreement, failure });
        }
    }

    fn come_back(&mut self, node: NodeId) {
        self.tell(Input::ConsumerUp { node });
        for number in (0..4).filter(|number| consumer(*number) == node) {
            self.tell(Input::Resume { from: node, agreement: agreement(number) });
        }
    }

    /// Lets everything come to its end in good weather: then nothing may be left open.
    fn settle(&mut self) {
        self.tell(Input::Limits(limits()));
        self.tell(Input::Readings(Readings { temperature_celsius: Some(40), ..readings() }));
        self.come_back(ALICE);
        self.come_back(BOB);
        for _ in 0..500 {
            self.arrive();
            self.step(Step::EndMany { wall_us: 100 });
            // A program that could not be had is asked for again by the next assignment.
            for number in 0..4 {
                self.tell(Input::Assigned {
                    from: consumer(number),
                    agreement: agreement(number),
                    tasks: vec![],
                });
            }
            for (id, tasks) in std::mem::take(&mut self.committed) {
                let from = self.node.core.terms(id).map(|terms| terms.consumer);
                let tasks: Vec<TaskId> = tasks.iter().map(|task| task.task).collect();
                from.into_iter().for_each(|from| {
                    self.tell(Input::Reveal { from, agreement: id, tasks: tasks.clone() });
                });
            }
            if self.open.values().all(BTreeSet::is_empty) {
                return;
            }
        }
        panic!("never reported: {:?}; load {:?}", self.open, self.node.core.load());
    }
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Every assigned task is reported exactly once, or cancelled, or dropped with a note, or its
    /// agreement ended; and never does more run than the owner allows.
    #[test]
    fn j1_f12_f15_every_task_is_reported_once_within_the_limits(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.settle();
    }
}
