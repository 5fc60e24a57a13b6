//! The life of replicas on one node: fetched, started, probed, started again, ended.

mod data;
mod life;
mod orders;

use life::Hosted;
use opensky_types::{
    Hash, NodeId, ServiceId, Signed, Timestamp,
    job::Blob,
    offer::ContainerOffer,
    place::Level,
    resources::Gpu,
    service::{
        Declaration, Declared, HealthCheck, Placement, Refusal, ReplicaId, ReplicaReport, ReplicaState,
        SaveId, Saved,
    },
    task::Failure,
};
use std::collections::BTreeMap;

/// Most replicas on one node.
const REPLICAS_MAX: usize = 256;

/// How a host works. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// The sky.
    pub sky: Hash,
    /// This node.
    pub own: NodeId,
    /// Between two adverts of a replica whose state does not change.
    pub advert_ms: u64,
    /// Time in which others hear that a replica leaves, before it is ended.
    pub leave_ms: u64,
    /// First wait before a program starts again; it doubles.
    pub restart_ms: u64,
    /// Longest such wait.
    pub restart_ms_max: u64,
    /// A program that was healthy for so long begins with the first wait again.
    pub forgive_ms: u64,
    /// A replica that has ended waits for so long until a keeper has what was saved of its volumes.
    pub hand_over_ms: u64,
}

impl HostConfig {
    /// The usual times.
    pub const fn new(sky: Hash, own: NodeId) -> Self {
        Self {
            sky,
            own,
            advert_ms: 10_000,
            leave_ms: 1_000,
            restart_ms: 500,
            restart_ms_max: 60_000,
            forgive_ms: 60_000,
            hand_over_ms: 10 * 60_000,
        }
    }
}

/// What there is room for, by the owner's limits and what runs already but for replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Cores, in slots.
    pub slots: u16,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Files, in bytes.
    pub disk_bytes: u64,
    /// How programs can run.
    pub levels: Vec<Level>,
    /// What containers find beside a processor, memory and files. GPUs that replicas have are among its GPUs.
    pub containers: ContainerOffer,
    /// The GPUs of the machine.
    pub gpus: Vec<Gpu>,
    /// Whether work costs nothing here.
    pub is_free: bool,
    /// Whether nothing new begins.
    pub is_closed: bool,
    /// Whether everything has to end now.
    pub must_end: bool,
}

/// What happens to a host.
#[derive(Debug, Clone)]
pub enum HostInput {
    /// A node asks for a replica to run, whose volumes begin with what was saved.
    Place {
        ask: u64,
        from: NodeId,
        declared: Box<Declared>,
        placement: Signed<Placement>,
        saved: Option<Saved>,
    },
    /// A node asks for the end of one.
    Withdraw { ask: u64, from: NodeId, replica: ReplicaId },
    /// A node asks how replicas are, with placements that go on and what it holds of volumes.
    Report {
        ask: u64,
        from: NodeId,
        service: ServiceId,
        renewed: Vec<Signed<Placement>>,
        held: Vec<(u16, SaveId)>,
    },
    /// A keeper hands over a declaration whose signatures and parts were checked: it may name other keepers than
    /// those who placed what runs here.
    Declared { declaration: Box<Declaration>, declared: Box<Declared> },
    /// The program of a replica, and what its volumes begin with, are here or cannot be had.
    Prepared { replica: ReplicaId, result: Result<(), String> },
    /// A program runs, or did not start. `launch` is that of the order.
    Launched { replica: ReplicaId, launch: u32, result: Result<(), Failure> },
    /// A probe went well, or not.
    Probed { replica: ReplicaId, launch: u32, result: Result<(), String> },
    /// A program ended by itself: with an exit code, or this failure; and what it wrote last.
    Ended { replica: ReplicaId, launch: u32, end: Result<i32, Failure>, last_words: String },
    /// A program that was to end is gone.
    Stopped { replica: ReplicaId, launch: u32 },
    /// The volumes of a replica were saved, or could not be.
    Saved { replica: ReplicaId, result: Result<Blob, String> },
    /// Connections that are open to a replica.
    Connections { replica: ReplicaId, count: u32 },
    /// Processor time that a replica takes, in percent of its cores.
    Cpu { replica: ReplicaId, percent: u8 },
    /// What there is room for now.
    Capacity(Capacity),
    /// Time has passed.
    Tick,
}

/// What a host orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostEffect {
    /// Answer a question.
    Answer { ask: u64, answer: Result<(), Refusal> },
    /// Answer how replicas are.
    AnswerReports { ask: u64, reports: Vec<ReplicaReport> },
    /// Get a program, and what its volumes begin with, from the first of these that has it. No program where an engine
    /// takes it from a registry.
    Prepare { replica: ReplicaId, blob: Option<Blob>, saved: Option<Blob>, sources: Vec<NodeId> },
    /// Start a program.
    Launch { replica: ReplicaId, launch: u32 },
    /// See whether it answers.
    Probe { replica: ReplicaId, launch: u32, check: HealthCheck },
    /// End it, asked nicely first for so many milliseconds.
    Stop { replica: ReplicaId, launch: u32, grace_ms: u64 },
    /// Save its volumes, whether it runs or has ended.
    Save { replica: ReplicaId },
    /// Tell everybody how it stands.
    Advertise { replica: ReplicaId, state: ReplicaState },
    /// Nothing of it is left; with it perhaps the last of its service. What is in its volumes is needed no more
    /// where others have it.
    Gone { replica: ReplicaId, is_last: bool, is_handed_over: bool },
    /// So much is taken by replicas now.
    Reserve(Taken),
}

/// What replicas take together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Cores, in slots.
    pub slots: u16,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Files, in bytes.
    pub disk_bytes: u64,
    /// GPUs, by their places among those of the machine.
    pub gpus: Vec<u8>,
}

/// A replica as its host sees it.
#[derive(Debug, Clone)]
pub struct HostedView {
    /// How it stands.
    pub report: ReplicaReport,
    /// Whose service it is.
    pub declaration: Declaration,
}

/// A declaration with its specs.
#[derive(Debug)]
struct Newest {
    declaration: Declaration,
    declared: Declared,
}

/// All replicas of a node.
#[derive(Debug)]
pub struct Host {
    config: HostConfig,
    capacity: Capacity,
    replicas: BTreeMap<ReplicaId, Hosted>,
    /// What was declared last of the services that have replicas here.
    newest: BTreeMap<ServiceId, Newest>,
    reserved: Taken,
}

impl Host {
    /// A host without replicas, and without room until it is told.
    pub const fn new(config: HostConfig) -> Self {
        Self {
            config,
            capacity: Capacity {
                slots: 0,
                memory_bytes: 0,
                disk_bytes: 0,
                levels: Vec::new(),
                containers: ContainerOffer {
                    isolations: Vec::new(),
                    registries: Vec::new(),
                    gpus: Vec::new(),
                },
                gpus: Vec::new(),
                is_free: false,
                is_closed: true,
                must_end: false,
            },
            replicas: BTreeMap::new(),
            newest: BTreeMap::new(),
            reserved: Taken { slots: 0, memory_bytes: 0, disk_bytes: 0, gpus: Vec::new() },
        }
    }

    /// Takes in one fact and appends what follows from it to `effects`.
    pub fn handle(&mut self, now: Timestamp, input: HostInput, effects: &mut Vec<HostEffect>) {
        match input {
            HostInput::Place { ask, from, declared, placement, saved } => {
                let answer = self.on_place(now, from, *declared, (placement, saved), effects);
                effects.push(HostEffect::Answer { ask, answer });
            }
            HostInput::Withdraw { ask, from, replica } => {
                let answer = self.on_withdraw(now, from, replica);
                effects.push(HostEffect::Answer { ask, answer });
            }
            HostInput::Report { ask, from, service, renewed, held } => {
                let answer = self.on_report(now, from, service, &renewed, &held);
                effects.push(match answer {
                    Ok(reports) => HostEffect::AnswerReports { ask, reports },
                    Err(refusal) => HostEffect::Answer { ask, answer: Err(refusal) },
                });
            }
            HostInput::Declared { declaration, declared } => {
                self.on_declared(Newest { declaration: *declaration, declared: *declared });
            }
            HostInput::Capacity(capacity) => self.capacity = capacity,
            HostInput::Tick => {}
            HostInput::Prepared { replica, .. }
            | HostInput::Launched { replica, .. }
            | HostInput::Probed { replica, .. }
            | HostInput::Ended { replica, .. }
            | HostInput::Stopped { replica, .. }
            | HostInput::Saved { replica, .. }
            | HostInput::Connections { replica, .. }
            | HostInput::Cpu { replica, .. } => {
                if let Some(hosted) = self.replicas.get_mut(&replica) {
                    hosted.on_fact(now, &self.config, input);
                }
            }
        }
        self.advance(now, effects);
    }

    /// What a replica runs: its placement, its declaration and both specs.
    pub fn hosted(&self, replica: ReplicaId) -> Option<(&Signed<Placement>, &Declaration, &Declared, u64)> {
        let hosted = self.replicas.get(&replica)?;
        Some((&hosted.signed, &hosted.declaration, &hosted.declared, hosted.placement.revision))
    }

    /// The GPUs that a replica has, by their places among those of the machine.
    pub fn gpus_of(&self, replica: ReplicaId) -> &[u8] {
        self.replicas.get(&replica).map_or(&[], |hosted| &hosted.gpus)
    }

    /// What the volumes of a replica begin with.
    pub fn begins_with(&self, replica: ReplicaId) -> Option<Saved> {
        self.replicas.get(&replica).and_then(|hosted| hosted.data.as_ref()?.begin())
    }

    /// Whether a replica takes connections to a port.
    pub fn may_dial(&self, replica: ReplicaId, port: u16) -> Result<(), Refusal> {
        let hosted = self.replicas.get(&replica).ok_or(Refusal::Unknown)?;
        if !hosted.state.answers() {
            return Err(Refusal::NotAnswering);
        }
        if hosted.spec.ports.contains(&port) { Ok(()) } else { Err(Refusal::NoSuchPort) }
    }

    /// Whether `node` may know what a replica writes.
    pub fn may_read(&self, replica: ReplicaId, node: NodeId) -> Result<(), Refusal> {
        let hosted = self.replicas.get(&replica).ok_or(Refusal::Unknown)?;
        if self.is_answerable_to(node, replica.service, hosted) { Ok(()) } else { Err(Refusal::NotAllowed) }
    }

    /// Replicas here, as they stand.
    pub fn views(&self, now: Timestamp) -> impl Iterator<Item = HostedView> + '_ {
        self.replicas.iter().map(move |(replica, hosted)| HostedView {
            report: hosted.report(now, *replica),
            declaration: hosted.declaration.clone(),
        })
    }

    /// Moves every replica on as far as it goes now.
    fn advance(&mut self, now: Timestamp, effects: &mut Vec<HostEffect>) {
        let mut gone = Vec::new();
        for (replica, hosted) in &mut self.replicas {
            hosted.look_at_capacity(now, &self.capacity);
            hosted.advance(now, &self.config, *replica, effects);
            if let Some(is_handed_over) = hosted.is_gone(now, &self.config) {
                gone.push((*replica, is_handed_over));
            }
        }
        for (replica, is_handed_over) in gone {
            self.replicas.remove(&replica);
            let is_last = !self.replicas.keys().any(|other| other.service == replica.service);
            if is_last {
                self.newest.remove(&replica.service);
            }
            effects.push(HostEffect::Gone { replica, is_last, is_handed_over });
        }
        let reserved = self.taken();
        if reserved != self.reserved {
            self.reserved = reserved.clone();
            effects.push(HostEffect::Reserve(reserved));
        }
    }

    /// What replicas take together.
    fn taken(&self) -> Taken {
        self.replicas.values().fold(Taken::default(), |taken, hosted| {
            let limits = &hosted.spec.limits;
            Taken {
                slots: taken.slots.saturating_add(limits.cpu_cores),
                memory_bytes: taken.memory_bytes.saturating_add(limits.memory_bytes),
                disk_bytes: taken.disk_bytes.saturating_add(hosted.spec.disk_bytes()),
                gpus: taken.gpus.into_iter().chain(hosted.gpus.iter().copied()).collect(),
            }
        })
    }
}
