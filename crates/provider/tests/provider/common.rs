//! A provider with a clock, whose invariants are checked after every input.

use opensky_provider::{
    BatchId, Committed, Config, DeliveryId, Effect, Input, Provider, RunItem, TaskAttempt, TaskEnd,
};
use opensky_types::{
    AgreementId, Hash, JobId, Micros, NodeId, TaskId, Timestamp,
    agreement::Terms,
    engine::Engine,
    job::{Blob, Needs, Program},
    limits::ContributionLimits,
    offer::ContainerOffer,
    place::Level,
    reason::Misfit,
    receipt::Receipt,
    resources::{HardwareProfile, Readings, TaskLimits, Usage},
    task::{Assignment, Content, Failure, Outcome, TaskInput, TaskOutput, TaskReport},
};
use std::sync::Arc;

pub const GIB: u64 = 1 << 30;
pub const OWN: NodeId = NodeId::from_public_key([9; 32]);
pub const ALICE: NodeId = NodeId::from_public_key([1; 32]);
pub const BOB: NodeId = NodeId::from_public_key([2; 32]);

pub fn sky() -> Hash {
    Hash::of(b"sky")
}

pub fn config() -> Config {
    Config::new(sky(), OWN, [7; 32])
}

/// What runs tasks of these levels.
pub fn engine(levels: &[Level]) -> Engine {
    Engine {
        name: "test 1".into(),
        config: Hash::of(b"test engine"),
        levels: levels.to_vec(),
        containers: ContainerOffer::default(),
    }
}

pub fn limits() -> ContributionLimits {
    ContributionLimits { cpu_percent: 50, memory_bytes: 4 * GIB, disk_bytes: 10 * GIB, ..Default::default() }
}

/// Eight cores, so four slots.
pub fn hardware() -> HardwareProfile {
    HardwareProfile { cpu_cores: 8, memory_bytes: 16 * GIB, disk_free_bytes: 100 * GIB, ..Default::default() }
}

pub fn readings() -> Readings {
    Readings {
        memory_available_bytes: 8 * GIB,
        disk_free_bytes: 100 * GIB,
        temperature_celsius: Some(50),
        idle_ms: Some(60 * 60 * 1000),
        minute_of_day: 12 * 60,
        ..Default::default()
    }
}

pub fn agreement(number: u8) -> AgreementId {
    AgreementId::from_hash(Hash::of(&[number]))
}

/// Terms of a consumer's job number `job`.
pub fn terms(consumer: NodeId, job: u8, slots: u16) -> Terms {
    Terms {
        sky: sky(),
        consumer,
        provider: OWN,
        job: JobId::from_bytes([job; 10]),
        stage: 0,
        program: Program {
            hash: Hash::of(b"program"),
            size_bytes: 1_000,
            level: Level::Vm,
            function: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            deterministic: true,
            needs: Needs::default(),
        },
        seed: 1,
        limits: TaskLimits { scratch_bytes: 1 << 20, output_bytes: 1 << 20, ..TaskLimits::default() },
        slots,
        price_per_gfuel: Micros::ZERO,
        payment: None,
        commit_first: false,
        orphan_grace_ms: 10_000,
        made_at: Timestamp::from_millis(1),
        nonce: 1,
    }
}

pub fn task(index: u32) -> TaskAttempt {
    TaskAttempt { task: TaskId { stage: 0, index }, attempt: 0 }
}

pub fn assignment(task: TaskAttempt) -> Assignment {
    let stdin = vec![Content::Inline(vec![1, 2, 3])];
    Assignment {
        task: task.task,
        attempt: task.attempt,
        input: TaskInput { item: task.task.to_string(), stdin },
    }
}

/// The same with a blob of `size_bytes` to fetch.
pub fn blob_assignment(task: TaskAttempt, size_bytes: u64) -> Assignment {
    let blob = Blob { hash: Hash::of(&task.task.index.to_le_bytes()), size_bytes };
    let input = TaskInput { item: String::new(), stdin: vec![Content::Blob(blob)] };
    Assignment { input, ..assignment(task) }
}

pub fn exited(stdout: &[u8]) -> Outcome {
    let stdout = Content::Inline(stdout.to_vec());
    Outcome::Exited(TaskOutput { exit_code: 0, stdout, stderr: Content::empty(), files: Vec::new() })
}

pub fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() }
}

pub struct Delivered {
    pub delivery: DeliveryId,
    pub reports: Arc<Vec<TaskReport>>,
    pub receipts: Vec<Receipt>,
    pub again: bool,
}

pub struct Node {
    pub core: Provider,
    pub now: Timestamp,
    /// Effects of the last input.
    pub effects: Vec<Effect>,
}

impl Node {
    /// One that shares half of eight cores.
    pub fn new(config: Config) -> Self {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let mut node = Self { core: Provider::new(config), now, effects: Vec::new() };
        node.tell(Input::Engines(vec![engine(&[Level::Function, Level::Vm])]));
        node.tell(Input::Limits(limits()));
        node.tell(Input::Hardware(hardware()));
        node.tell(Input::Readings(readings()));
        node
    }

    /// Handles one input; its effects replace those of the last one.
    pub fn tell(&mut self, input: Input) {
        self.effects.clear();
        self.core.handle(self.now, input, &mut self.effects);
        self.core.check();
    }

    pub fn pass(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.tell(Input::Tick);
    }

    /// Proposes; says how many slots were granted.
    pub fn propose(&mut self, number: u8, terms: Terms) -> Result<u16, Misfit> {
        let (from, id) = (terms.consumer, agreement(number));
        self.tell(Input::Proposed { from, agreement: id, terms: Box::new(terms) });
        let answer = self.effects.iter().find_map(|effect| match effect {
            Effect::Accept { acceptance, .. } => Some(Ok(acceptance.slots)),
            Effect::Refuse { misfit, .. } => Some(Err(misfit.clone())),
            _ => None,
        });
        answer.expect("a proposal is answered")
    }

    /// Proposes, and has the program at once.
    pub fn agree(&mut self, number: u8, terms: Terms) -> u16 {
        let slots = self.propose(number, terms).expect("acceptable terms");
        self.tell(Input::ProgramReady { agreement: agreement(number) });
        slots
    }

    pub fn assign(&mut self, number: u8, from: NodeId, tasks: impl IntoIterator<Item = u32>) {
        let tasks = tasks.into_iter().map(|index| assignment(task(index))).collect();
        self.tell(Input::Assigned { from, agreement: agreement(number), tasks });
    }

    /// Batches started by the last input.
    pub fn runs(&self) -> Vec<(BatchId, AgreementId, Vec<RunItem>)> {
        let runs = self.effects.iter().filter_map(|effect| match effect {
            Effect::Run { batch, agreement, items, .. } => Some((*batch, *agreement, items.clone())),
            _ => None,
        });
        runs.collect()
    }

    pub fn stops(&self) -> Vec<BatchId> {
        let stops = self.effects.iter().filter_map(|effect| match effect {
            Effect::Stop { batch } => Some(*batch),
            _ => None,
        });
        stops.collect()
    }

    pub fn deliveries(&self) -> Vec<Delivered> {
        let deliveries = self.effects.iter().filter_map(|effect| match effect {
            Effect::Deliver { delivery, reports, receipts, again, .. } => Some(Delivered {
                delivery: *delivery,
                reports: reports.clone(),
                receipts: receipts.clone(),
                again: *again,
            }),
            _ => None,
        });
        deliveries.collect()
    }

    /// Reports delivered by the last input.
    pub fn reports(&self) -> Vec<TaskReport> {
        self.deliveries().iter().flat_map(|delivered| delivered.reports.to_vec()).collect()
    }

    pub fn commitments(&self) -> Vec<Committed> {
        let commitments = self.effects.iter().filter_map(|effect| match effect {
            Effect::Commit { commitments, .. } => Some(commitments.clone()),
            _ => None,
        });
        commitments.flatten().collect()
    }

    pub fn standing(&self) -> Option<Vec<TaskId>> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Standing { tasks, .. } => Some(tasks.clone()),
            _ => None,
        })
    }

    /// Agreements whose consumers were told of an end, and why.
    pub fn ended(&self) -> Vec<(AgreementId, Misfit)> {
        let ended = self.effects.iter().filter_map(|effect| match effect {
            Effect::End { agreement, misfit, .. } => Some((*agreement, misfit.clone())),
            _ => None,
        });
        ended.collect()
    }

    /// One item ends after `wall_us`.
    pub fn end(&mut self, batch: BatchId, item: u32, outcome: Outcome, wall_us: u64) {
        self.tell(Input::Ended { ends: vec![self.task_end(batch, item, outcome, wall_us)] });
    }

    /// All items of a batch end well after `wall_us` each.
    pub fn end_all(&mut self, batch: BatchId, items: usize, wall_us: u64) {
        let ends = (0..items as u32).map(|item| self.task_end(batch, item, exited(b"ok"), wall_us)).collect();
        self.tell(Input::Ended { ends });
    }

    fn task_end(&self, batch: BatchId, item: u32, outcome: Outcome, wall_us: u64) -> TaskEnd {
        let usage = Usage { wall_us, fuel: 1_000_000_000, ..Usage::default() };
        TaskEnd { batch, item, outcome, usage, started_at: self.now, ended_at: self.now }
    }
}
