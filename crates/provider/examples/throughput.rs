//! How many short tasks a second the core alone takes through a whole life: assigned, put into
//! batches, ended, delivered with a receipt, countersigned. On one core, without any signing.
//!
//! `cargo run --release -p opensky-provider --example throughput`

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use opensky_provider::{BatchId, Config, DeliveryId, Effect, Input, Provider, TaskEnd};
use opensky_types::{
    AgreementId, Hash, JobId, Micros, NodeId, TaskId, Timestamp,
    agreement::Terms,
    engine::Engine,
    job::{Needs, Program},
    limits::ContributionLimits,
    offer::ContainerOffer,
    place::Level,
    resources::{HardwareProfile, Readings, TaskLimits, Usage},
    task::{Assignment, Content, Outcome, TaskInput, TaskOutput},
};
use std::{collections::VecDeque, time::Instant};

const TASKS: u32 = 400_000;
/// Tasks that the consumer keeps in the provider's queue.
const QUEUED: u32 = 1_024;
/// Ends that come in together.
const TOGETHER: usize = 64;
const PROVIDER: NodeId = NodeId::from_public_key([1; 32]);
const CONSUMER: NodeId = NodeId::from_public_key([2; 32]);

struct World {
    core: Provider,
    now: Timestamp,
    running: VecDeque<(BatchId, u32)>,
    delivered: Vec<DeliveryId>,
    reports: u32,
}

fn main() {
    let mut world = World {
        core: Provider::new(Config::new(Hash::of(b"sky"), PROVIDER, [0; 32])),
        now: Timestamp::from_millis(1_700_000_000_000),
        running: VecDeque::new(),
        delivered: Vec::new(),
        reports: 0,
    };
    let agreement = world.open();
    let start = Instant::now();
    let mut assigned = 0;
    while world.reports < TASKS {
        if assigned < TASKS && assigned - world.reports <= QUEUED / 2 {
            let until = TASKS.min(world.reports + QUEUED);
            let tasks = (assigned..until).map(assignment).collect();
            world.tell(Input::Assigned { from: CONSUMER, agreement, tasks });
            assigned = until;
        }
        world.end_some();
        for delivery in std::mem::take(&mut world.delivered) {
            world.tell(Input::Countersigned { from: CONSUMER, delivery });
        }
    }
    let elapsed = start.elapsed();
    let per_second = f64::from(TASKS) / elapsed.as_secs_f64();
    println!("{TASKS} tasks in {elapsed:.2?}: {per_second:.0} tasks/s, {:.2} us each", 1e6 / per_second);
}

impl World {
    fn open(&mut self) -> AgreementId {
        let gib = 1 << 30;
        let engine = Engine {
            name: "none".into(),
            config: Hash::of(b"none"),
            levels: vec![Level::Vm],
            containers: ContainerOffer::default(),
        };
        self.tell(Input::Engines(vec![engine]));
        self.tell(Input::Limits(ContributionLimits { cpu_percent: 100, ..ContributionLimits::default() }));
        let memory_bytes = 64 * gib;
        self.tell(Input::Hardware(HardwareProfile {
            cpu_cores: 2,
            memory_bytes,
            ..HardwareProfile::default()
        }));
        self.tell(Input::Readings(Readings { memory_available_bytes: memory_bytes, ..Readings::default() }));
        let agreement = AgreementId::from_hash(Hash::of(b"agreement"));
        self.tell(Input::Proposed { from: CONSUMER, agreement, terms: Box::new(terms()) });
        self.tell(Input::ProgramReady { agreement });
        agreement
    }

    fn tell(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.core.handle(self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Run { batch, items, .. } => {
                    self.running.extend((0..items.len() as u32).map(|item| (batch, item)));
                }
                Effect::Deliver { delivery, reports, .. } => {
                    self.reports += reports.len() as u32;
                    self.delivered.push(delivery);
                }
                _ => {}
            }
        }
    }

    fn end_some(&mut self) {
        let count = TOGETHER.min(self.running.len());
        let (started_at, ended_at) = (self.now, self.now);
        let ends = self.running.drain(..count).map(|(batch, item)| TaskEnd {
            batch,
            item,
            outcome: Outcome::Exited(TaskOutput {
                exit_code: 0,
                stdout: Content::Inline(b"42".to_vec()),
                stderr: Content::empty(),
                files: Vec::new(),
            }),
            usage: Usage { wall_us: 50, ..Usage::default() },
            started_at,
            ended_at,
        });
        let ends = ends.collect();
        self.tell(Input::Ended { ends });
    }
}

fn assignment(index: u32) -> Assignment {
    let input = TaskInput { item: index.to_string(), stdin: Vec::new() };
    Assignment { task: TaskId { stage: 0, index }, attempt: 0, input }
}

fn terms() -> Terms {
    Terms {
        sky: Hash::of(b"sky"),
        consumer: CONSUMER,
        provider: PROVIDER,
        job: JobId::from_bytes([0; 10]),
        stage: 0,
        program: Program {
            hash: Hash::of(b"program"),
            size_bytes: 100,
            level: Level::Vm,
            function: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            deterministic: true,
            needs: Needs::default(),
        },
        seed: 0,
        limits: TaskLimits { scratch_bytes: 0, ..TaskLimits::default() },
        slots: 2,
        price_per_gfuel: Micros::ZERO,
        payment: None,
        commit_first: false,
        orphan_grace_ms: 60_000,
        made_at: Timestamp::from_millis(0),
        nonce: 0,
    }
}
