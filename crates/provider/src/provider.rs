//! The core: what it holds, and the one door.

use crate::{
    Committed, Config, Effect, Input, OfferDraft,
    agreement::Agreement,
    batch::Batches,
    gate::Gate,
    kept::{Held, Kept},
};
use opensky_types::{
    AgreementId, Micros, NodeId, Timestamp, agreement::Terms, engine::Engine, offer::ContainerOffer,
    place::Level,
};
use std::collections::{BTreeMap, BTreeSet};

/// What services may take, by the owner's limits and the tasks that run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Slots.
    pub slots: u16,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Files, in bytes.
    pub disk_bytes: u64,
    /// What containers find, GPUs of tasks aside.
    pub containers: ContainerOffer,
    /// Whether work costs nothing here.
    pub is_free: bool,
    /// Whether nothing new begins.
    pub is_closed: bool,
    /// Whether all work has to end now.
    pub must_end: bool,
}

/// The provider's side of all agreements of a node.
#[derive(Debug)]
pub struct Provider {
    pub(crate) config: Config,
    pub(crate) gate: Gate,
    /// What runs tasks right now.
    pub(crate) engines: Vec<Engine>,
    pub(crate) agreements: BTreeMap<AgreementId, Agreement>,
    pub(crate) consumers: BTreeMap<NodeId, Consumer>,
    pub(crate) batches: Batches,
    pub(crate) kept: Kept,
    /// Results of the input at hand, told of together at its end.
    pub(crate) outbox: BTreeMap<AgreementId, Outgoing>,
    /// Counts assignments and starts, to tell which was first.
    pub(crate) counter: u64,
    /// Since when more runs than the owner now allows.
    pub(crate) excess_since: Option<Timestamp>,
    /// The offer as the node was last told of it.
    pub(crate) announced: OfferDraft,
}

/// A node with at least one agreement.
#[derive(Debug, Default)]
pub(crate) struct Consumer {
    pub agreements: BTreeSet<AgreementId>,
    /// When it was last given a slot.
    pub served: u64,
    /// Since when it is away.
    pub lost_at: Option<Timestamp>,
}

/// What one input produced under one agreement.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub held: Vec<Held>,
    pub commitments: Vec<Committed>,
}

impl Provider {
    /// A provider that offers nothing until it has heard of limits and hardware.
    pub fn new(config: Config) -> Self {
        let gate = Gate::new();
        let announced = draft(&config, &gate, &[], 0);
        Self {
            config,
            gate,
            engines: Vec::new(),
            agreements: BTreeMap::new(),
            consumers: BTreeMap::new(),
            batches: Batches::default(),
            kept: Kept::default(),
            outbox: BTreeMap::new(),
            counter: 0,
            excess_since: None,
            announced,
        }
    }

    /// Takes in one fact and appends what follows from it to `effects`.
    pub fn handle(&mut self, now: Timestamp, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Limits(limits) => {
                self.gate.set_limits(now, limits);
                self.fit_to_limits(now, effects);
            }
            Input::Engines(engines) => {
                self.engines = engines;
                self.fit_to_engines(effects);
            }
            Input::Hardware(hardware) => {
                self.gate.set_hardware(now, hardware);
                self.fit_to_limits(now, effects);
            }
            Input::Readings(readings) => self.gate.set_readings(now, readings),
            Input::Proposed { from, agreement, terms } => {
                self.on_proposed(now, from, agreement, terms, effects);
            }
            Input::Assigned { from, agreement, tasks } => {
                self.on_assigned(now, from, agreement, tasks, effects);
            }
            Input::ProgramReady { agreement } => self.on_program_ready(agreement),
            Input::ProgramFailed { agreement, failure } => self.on_program_failed(now, agreement, &failure),
            Input::InputsReady { agreement, tasks } => self.on_inputs_ready(agreement, &tasks),
            Input::InputsFailed { agreement, task, failure } => {
                self.on_inputs_failed(now, agreement, task, failure, effects);
            }
            Input::Ended { ends } => self.on_ended(now, ends, effects),
            Input::Reveal { from, agreement, tasks } => self.on_reveal(from, agreement, &tasks, effects),
            Input::CancelTasks { from, agreement, tasks } => {
                self.on_cancel_tasks(from, agreement, &tasks, effects);
            }
            Input::Close { from, agreement } => self.on_close(from, agreement, effects),
            Input::Resume { from, agreement } => self.on_resume(now, from, agreement, effects),
            Input::Funded { agreement, amount } => self.on_funded(agreement, amount),
            Input::Countersigned { from, delivery } => self.on_countersigned(from, delivery),
            Input::ConsumerUp { node } => self.on_consumer_up(node),
            Input::ConsumerLost { node } => self.on_consumer_lost(now, node),
            Input::Restored { agreements } => self.on_restored(now, agreements, effects),
            Input::Reserved(reserved) => {
                self.gate.set_reserved(reserved);
                self.fit_to_needs(effects);
            }
            Input::Drain => self.gate.drain(now),
            Input::Tick => self.on_tick(now, effects),
        }
        self.enforce(now, effects);
        self.start(now, effects);
        self.flush(effects);
        self.announce(effects);
    }

    /// What to offer right now.
    pub fn offer(&self) -> OfferDraft {
        draft(&self.config, &self.gate, &self.engines, self.slots_granted())
    }

    /// The terms of an open agreement.
    pub fn terms(&self, agreement: AgreementId) -> Option<&Terms> {
        self.agreements.get(&agreement).map(|agreement| &*agreement.terms)
    }

    /// Tasks that run now, one per slot, and tasks that wait.
    pub fn load(&self) -> (usize, usize) {
        let waiting = self.agreements.values().map(|open| open.live.saturating_sub(open.batches.len()));
        (self.batches.open.len(), waiting.sum())
    }

    /// What is left for services, beside the tasks that run.
    pub fn room(&self, now: Timestamp) -> Room {
        let active = || self.batches.active().map(|(_, batch)| batch);
        let (memory_bytes, disk_bytes) =
            active().fold((0, 0), |(memory_bytes, disk_bytes): (u64, u64), batch| {
                (memory_bytes + batch.memory_bytes, disk_bytes + batch.disk_bytes)
            });
        let running = u16::try_from(self.batches.open.len()).unwrap_or(u16::MAX);
        Room {
            slots: self.gate.slots_shared().saturating_sub(running),
            memory_bytes: self.gate.memory_shared_bytes().saturating_sub(memory_bytes),
            disk_bytes: self.gate.disk_shared_bytes().saturating_sub(disk_bytes),
            containers: self.containers_left(),
            is_free: self.gate.price(&self.config) == Micros::ZERO,
            is_closed: self.gate.closed().is_some(),
            must_end: self.gate.must_end(now, self.config.wind_down_ms) || self.gate.is_critical(),
        }
    }

    fn containers_left(&self) -> ContainerOffer {
        let engine = Engine::of(&self.engines, Level::Container);
        let mut containers = engine.map(|engine| self.gate.containers_shared(engine)).unwrap_or_default();
        containers.gpus.retain(|place| !self.batches.has_gpu(*place));
        containers
    }

    /// Slots that agreements hold together. May be more than there are, since consumers share.
    pub(crate) fn slots_granted(&self) -> u64 {
        self.agreements.values().map(|agreement| u64::from(agreement.slots)).sum()
    }

    /// Whether the consumer is connected, as far as the node has said.
    pub(crate) fn is_up(&self, consumer: NodeId) -> bool {
        self.consumers.get(&consumer).is_some_and(|consumer| consumer.lost_at.is_none())
    }

    /// The next number in the order of all things.
    pub(crate) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn announce(&mut self, effects: &mut Vec<Effect>) {
        let draft = self.offer();
        // The exact number of free slots goes along with the next regular offer.
        if (OfferDraft { slots_free: self.announced.slots_free, ..draft.clone() }) != self.announced {
            self.announced = draft;
            effects.push(Effect::OfferChanged);
        }
    }
}

fn draft(config: &Config, gate: &Gate, engines: &[Engine], slots_granted: u64) -> OfferDraft {
    let slots_total = if gate.closed().is_some() { 0 } else { gate.slots() };
    let slots_free = u64::from(slots_total).saturating_sub(slots_granted) as u16;
    let note = match gate.closed() {
        Some(closed) => closed.note(),
        None if slots_free == 0 => "full",
        None => "",
    };
    OfferDraft {
        engines: engines
            .iter()
            .map(|engine| Engine { containers: gate.containers(engine), ..engine.clone() })
            .collect(),
        slots_total,
        slots_free,
        task_limits_max: gate.task_limits_max(&config.task_limits_max),
        price_per_gfuel: gate.price(config),
        note,
    }
}
