//! The provider's side: orders of the provider core carried out, consumers' messages taken in.

use crate::{
    event::Event,
    fetch::{self, FetchError},
    node::Node,
    receipts,
};
use opensky_ports::{Engine, LogSink, LogStream, Pin, Record, WorkBatch, WorkItem, WorkResult};
use opensky_protocol::work::{Commitment, EngineUsed, ToConsumer, ToProvider};
use opensky_provider::{BatchId, DeliveryId, Effect, Input, Provider, RunItem, TaskAttempt, TaskEnd};
use opensky_types::{
    AgreementId, Hash, NodeId, Signed, TaskId, Timestamp,
    agreement::{Acceptance, Terms},
    job::Blob,
    reason::Misfit,
    receipt::{BatchHead, Countersignature, Receipt},
    task::{Failure, TaskReport},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How far a consumer's clock may be off, in milliseconds.
const CLOCK_SKEW_MS_MAX: u64 = 10 * 60 * 1000;
/// Output of a running task that is kept for whoever starts to follow it, in bytes.
const LIVE_OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Largest piece of followed output in one message, in bytes.
const OUTPUT_PIECE_BYTES_MAX: usize = 32 * 1024;
/// Deliveries whose countersignature is waited for; beyond it, the oldest stay claims.
const DELIVERIES_MAX: usize = 4_096;

/// State of the provider's side.
pub(crate) struct Host {
    pub(crate) provider: Provider,
    engine: EngineUsed,
    running: BTreeMap<BatchId, CancellationToken>,
    /// Agreements as their consumers signed them.
    terms: BTreeMap<AgreementId, Signed<Terms>>,
    /// Deliveries that wait for the consumer's signature, oldest first.
    deliveries: BTreeMap<DeliveryId, Delivery>,
    live: Arc<Mutex<LiveOutputs>>,
    /// Ends that came in during this round.
    pub(crate) ended: Vec<TaskEnd>,
    pub(crate) done: u64,
}

/// Results under one signature.
struct Delivery {
    to: NodeId,
    root: Hash,
    head: Signed<BatchHead>,
}

/// Output of running tasks, and who follows it.
#[derive(Default)]
struct LiveOutputs {
    written: BTreeMap<(AgreementId, TaskId), Vec<(LogStream, Vec<u8>)>>,
    followers: BTreeMap<(AgreementId, TaskId), NodeId>,
}

impl Host {
    pub(crate) fn new(sky: Hash, own: NodeId, engine: &Engine, salt_seed: [u8; 32]) -> Self {
        let config = opensky_provider::Config {
            levels: engine.levels.clone(),
            engine: engine.name.clone(),
            engine_config: engine.config,
            ..opensky_provider::Config::new(sky, own, salt_seed)
        };
        Self {
            provider: Provider::new(config),
            engine: EngineUsed { name: engine.name.clone(), config: engine.config },
            running: BTreeMap::new(),
            terms: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            live: Arc::default(),
            ended: Vec::new(),
            done: 0,
        }
    }

    pub(crate) fn forget_batch(&mut self, batch: BatchId) {
        self.running.remove(&batch);
    }
}

impl Node {
    /// Starts the provider's side with what it must know before anything is offered.
    pub(crate) fn host_restore(&mut self, now: Timestamp, agreements: &[(AgreementId, Signed<Terms>)]) {
        let held = agreements.iter().filter_map(|(agreement, signed)| {
            let terms = signed.decode_unverified().ok()?;
            (terms.provider == self.own && terms.consumer != self.own).then_some((*agreement, terms))
        });
        let agreements = held.collect();
        self.provide(now, Input::Restored { agreements });
        self.provide(now, Input::Limits(self.limits.clone()));
        self.provide(now, Input::Hardware(self.hardware.clone()));
        self.provide(now, Input::Readings(self.readings));
    }

    /// Hands a fact to the provider core and carries out what it answers.
    pub(crate) fn provide(&mut self, now: Timestamp, input: Input) {
        let mut effects = Vec::new();
        self.host.provider.handle(now, input, &mut effects);
        for effect in effects {
            self.perform_provided(now, effect);
        }
    }

    /// A consumer that we work for says something.
    pub(crate) fn on_consumer_message(&mut self, now: Timestamp, from: NodeId, message: ToProvider) {
        let input = match message {
            ToProvider::Propose { terms } => return self.on_proposed(now, from, &terms),
            ToProvider::Assign { agreement, tasks } => Input::Assigned { from, agreement, tasks },
            ToProvider::Reveal { agreement, tasks } => Input::Reveal { from, agreement, tasks },
            ToProvider::Cancel { agreement, tasks } => Input::CancelTasks { from, agreement, tasks },
            ToProvider::Close { agreement } => Input::Close { from, agreement },
            ToProvider::Resume { agreement } => Input::Resume { from, agreement },
            ToProvider::Countersign { countersignature } => {
                return self.on_countersigned(now, from, countersignature);
            }
            ToProvider::Follow { agreement, task, on } => return self.on_follow(from, agreement, task, on),
            ToProvider::Heartbeat => return,
        };
        self.provide(now, input);
    }

    fn on_proposed(&mut self, now: Timestamp, from: NodeId, signed: &Signed<Terms>) {
        let agreement = signed.agreement_id();
        let refuse = |misfit| ToConsumer::Refuse { agreement, misfit };
        let terms = match signed.verify() {
            Ok(terms) if signed.signer() == from => terms,
            _ => {
                tracing::warn!(%from, "terms with a wrong signature");
                return self.tell_consumer(from, refuse(Misfit::Terms));
            }
        };
        let skew_ms = now.ms_since(terms.made_at).max(terms.made_at.ms_since(now));
        if skew_ms > CLOCK_SKEW_MS_MAX {
            tracing::warn!(%from, skew_ms, "terms from another time: is one of the clocks wrong?");
            return self.tell_consumer(from, refuse(Misfit::Expired));
        }
        if self.disk_problem.is_some() {
            return self.tell_consumer(from, refuse(Misfit::Closed));
        }
        // The signed form is what the journal keeps, should the core agree.
        self.host.terms.insert(agreement, signed.clone());
        self.provide(now, Input::Proposed { from, agreement, terms: Box::new(terms) });
        if self.host.provider.terms(agreement).is_none() {
            self.host.terms.remove(&agreement);
        }
    }

    fn on_countersigned(&mut self, now: Timestamp, from: NodeId, countersignature: Signed<Countersignature>) {
        let Ok(content) = countersignature.verify() else { return };
        if countersignature.signer() != from {
            return;
        }
        let mut waiting = self.host.deliveries.iter();
        let known = waiting.find(|(_, delivery)| delivery.root == content.root && delivery.to == from);
        if let Some((delivery, _)) = known {
            let delivery = *delivery;
            self.host.deliveries.remove(&delivery);
            self.keep_record(Record::ReceiptsCountersigned { root: content.root, countersignature });
            self.provide(now, Input::Countersigned { from, delivery });
        }
    }

    /// A consumer wants to see a task's output as it is written, from the start.
    fn on_follow(&mut self, from: NodeId, agreement: AgreementId, task: TaskId, on: bool) {
        let consumer = self.host.provider.terms(agreement).map(|terms| terms.consumer);
        if consumer != Some(from) {
            return;
        }
        let written = {
            let mut live = self.host.live.lock().expect("no code panics while holding this lock");
            if on {
                live.followers.insert((agreement, task), from);
                live.written.get(&(agreement, task)).cloned().unwrap_or_default()
            } else {
                live.followers.remove(&(agreement, task));
                Vec::new()
            }
        };
        for (stream, bytes) in written {
            self.send_output(from, agreement, task, stream, &bytes);
        }
    }

    /// Sends output of a followed task.
    pub(crate) fn send_output(
        &mut self,
        to: NodeId,
        agreement: AgreementId,
        task: TaskId,
        stream: LogStream,
        bytes: &[u8],
    ) {
        for piece in bytes.chunks(OUTPUT_PIECE_BYTES_MAX) {
            let stderr = stream == LogStream::Stderr;
            self.tell_consumer(to, ToConsumer::Output { agreement, task, stderr, bytes: piece.to_vec() });
        }
    }

    fn perform_provided(&mut self, now: Timestamp, effect: Effect) {
        match effect {
            Effect::Hold { agreement, terms: _ } => {
                if let Some(terms) = self.host.terms.get(&agreement) {
                    self.pending.records.push(Record::AgreementHeld { agreement, terms: terms.clone() });
                }
            }
            Effect::Release { agreement } => self.release(agreement),
            Effect::Accept { to, acceptance } => {
                let acceptance: Signed<Acceptance> = Signed::sign(&acceptance, &self.key);
                self.tell_consumer(to, ToConsumer::Accept { acceptance });
            }
            Effect::Refuse { to, agreement, misfit } => {
                self.tell_consumer(to, ToConsumer::Refuse { agreement, misfit });
            }
            Effect::End { to, agreement, misfit } => {
                self.tell_consumer(to, ToConsumer::Ended { agreement, misfit })
            }
            Effect::FetchProgram { agreement, from, program } => self.fetch_program(agreement, from, program),
            Effect::FetchInputs { agreement, from, inputs } => {
                for input in inputs {
                    self.fetch_input(agreement, from, input.task, input.blobs);
                }
            }
            Effect::Run { batch, agreement, terms, items } => self.run_batch(batch, agreement, &terms, items),
            Effect::Stop { batch } => {
                if let Some(cancel) = self.host.running.get(&batch) {
                    cancel.cancel();
                }
            }
            Effect::Commit { to, agreement, commitments } => {
                let commitments = commitments.into_iter().map(|committed| Commitment {
                    task: committed.task.task,
                    attempt: committed.task.attempt,
                    hash: committed.hash,
                });
                self.tell_consumer(
                    to,
                    ToConsumer::Committed { agreement, commitments: commitments.collect() },
                );
            }
            Effect::Deliver { delivery, to, agreement, reports, receipts, again: _ } => {
                self.deliver(now, delivery, to, agreement, &reports, receipts);
            }
            Effect::Standing { to, agreement, slots, tasks } => {
                self.tell_consumer(to, ToConsumer::Standing { agreement, slots, tasks });
            }
            Effect::Dropped { agreement, tasks } => {
                tracing::warn!(%agreement, tasks = tasks.len(), "results were dropped: their consumer did not take them");
            }
            Effect::Breach { by, agreement, what } => {
                tracing::warn!(%by, %agreement, what, "consumer broke the protocol");
                if by != self.own {
                    self.transport.expel(by);
                }
            }
            Effect::OfferChanged => self.offers.mark_changed(),
        }
    }

    fn release(&mut self, agreement: AgreementId) {
        if self.host.terms.remove(&agreement).is_some() {
            self.keep_record(Record::AgreementEnded { agreement });
        }
        let blobs = Arc::clone(&self.blobs);
        self.tasks.spawn_blocking(move || {
            if let Err(error) = blobs.unpin(Pin::Agreement(agreement)) {
                tracing::warn!(%agreement, %error, "blobs of an agreement could not be unpinned");
            }
        });
        let mut live = self.host.live.lock().expect("no code panics while holding this lock");
        live.followers.retain(|(of, _), _| *of != agreement);
        live.written.retain(|(of, _), _| *of != agreement);
    }

    fn fetch_program(&mut self, agreement: AgreementId, from: NodeId, program: Blob) {
        let fetch = fetch::fetch_all(self.fetcher(), from, vec![program], Pin::Agreement(agreement));
        let events = self.events.clone();
        self.tasks.spawn(async move {
            let result = fetch.await;
            let _ = events.send(Event::ProgramFetched { agreement, result }).await;
        });
    }

    pub(crate) fn on_program_fetched(
        &mut self,
        now: Timestamp,
        agreement: AgreementId,
        result: Result<(), (Hash, FetchError)>,
    ) {
        let input = match result {
            Ok(()) => Input::ProgramReady { agreement },
            Err(error) => Input::ProgramFailed { agreement, failure: unavailable(error) },
        };
        self.provide(now, input);
    }

    fn fetch_input(&mut self, agreement: AgreementId, from: NodeId, task: TaskAttempt, blobs: Vec<Blob>) {
        let fetch = fetch::fetch_all(self.fetcher(), from, blobs, Pin::Agreement(agreement));
        let events = self.events.clone();
        self.tasks.spawn(async move {
            let result = fetch.await;
            let _ = events.send(Event::InputsFetched { agreement, task, result }).await;
        });
    }

    pub(crate) fn on_inputs_fetched(
        &mut self,
        now: Timestamp,
        agreement: AgreementId,
        task: TaskAttempt,
        result: Result<(), (Hash, FetchError)>,
    ) {
        let input = match result {
            Ok(()) => Input::InputsReady { agreement, tasks: vec![task] },
            Err(error) => Input::InputsFailed { agreement, task, failure: unavailable(error) },
        };
        self.provide(now, input);
    }

    /// Runs a batch on the executor. Its ends come back as events, however it goes.
    fn run_batch(&mut self, batch: BatchId, agreement: AgreementId, terms: &Terms, items: Vec<RunItem>) {
        let cancel = CancellationToken::new();
        self.host.running.insert(batch, cancel.clone());
        let (ends, mut ended) = mpsc::unbounded_channel();
        let sink = BatchSink {
            batch,
            agreement,
            tasks: items.iter().map(|item| item.task.task).collect(),
            clock: Arc::clone(&self.clock),
            started_at: Mutex::new(self.clock.now()),
            live: Arc::clone(&self.host.live),
            ends,
        };
        let work = WorkBatch {
            program: terms.program.clone(),
            seed: terms.seed,
            limits: terms.limits,
            items: (0..).zip(items).map(|(key, item)| WorkItem { key, input: item.input }).collect(),
        };
        let (executor, events) = (Arc::clone(&self.executor), self.events.clone());
        let told = events.clone();
        self.tasks.spawn(async move {
            let running = async move {
                executor.run(work, &sink, cancel).await;
                drop(sink);
            };
            let telling = async move {
                while let Some(event) = ended.recv().await {
                    if events.send(event).await.is_err() {
                        return;
                    }
                }
            };
            tokio::join!(running, telling);
            let _ = told.send(Event::BatchEnded { batch }).await;
        });
    }

    /// Signs results and sends them; the same delivery is signed once only.
    fn deliver(
        &mut self,
        now: Timestamp,
        delivery: DeliveryId,
        to: NodeId,
        agreement: AgreementId,
        reports: &[TaskReport],
        receipts: Vec<Receipt>,
    ) {
        let head = match self.host.deliveries.get(&delivery) {
            Some(known) => known.head.clone(),
            None => {
                let (head, root) = receipts::sign_batch(&self.key, &receipts, now);
                self.host.deliveries.insert(delivery, Delivery { to, root, head: head.clone() });
                if self.host.deliveries.len() > DELIVERIES_MAX {
                    self.host.deliveries.pop_first();
                }
                self.host.done += reports.len() as u64;
                self.keep_record(Record::ReceiptsSigned { head: head.clone(), receipts });
                head
            }
        };
        let engine = self.host.engine.clone();
        self.tell_consumer(to, ToConsumer::Results { agreement, engine, reports: reports.to_vec(), head });
    }

    /// Tells the core of all ends of this round at once, so that one signature covers them.
    pub(crate) fn host_flush(&mut self, now: Timestamp) {
        if !self.host.ended.is_empty() {
            let ends = std::mem::take(&mut self.host.ended);
            self.provide(now, Input::Ended { ends });
        }
    }
}

fn unavailable((hash, error): (Hash, FetchError)) -> Failure {
    Failure::InputUnavailable { hash, message: error.to_string() }
}

/// Sees a batch run: forwards ends, and keeps what its tasks write for followers.
struct BatchSink {
    batch: BatchId,
    agreement: AgreementId,
    tasks: Vec<TaskId>,
    clock: Arc<dyn opensky_ports::Clock>,
    started_at: Mutex<Timestamp>,
    live: Arc<Mutex<LiveOutputs>>,
    /// Bounded by the batch: one end an item, and output only for who follows.
    ends: mpsc::UnboundedSender<Event>,
}

impl LogSink for BatchSink {
    fn written(&self, key: u64, stream: LogStream, bytes: &[u8]) {
        let Some(task) = self.tasks.get(key as usize).copied() else { return };
        let follower = {
            let mut live = self.live.lock().expect("no code panics while holding this lock");
            let written = live.written.entry((self.agreement, task)).or_default();
            let size_bytes: usize = written.iter().map(|(_, bytes)| bytes.len()).sum();
            let room = LIVE_OUTPUT_BYTES_MAX.saturating_sub(size_bytes);
            if room > 0 {
                written.push((stream, bytes[..bytes.len().min(room)].to_vec()));
            }
            live.followers.get(&(self.agreement, task)).copied()
        };
        if let Some(to) = follower {
            let (agreement, bytes) = (self.agreement, bytes.to_vec());
            // The receiving end is gone only when the node is.
            let _ = self.ends.send(Event::WorkWrote { to, agreement, task, stream, bytes });
        }
    }

    fn ended(&self, result: WorkResult) {
        let ended_at = self.clock.now();
        let started_at = {
            let mut started_at = self.started_at.lock().expect("no code panics while holding this lock");
            std::mem::replace(&mut *started_at, ended_at)
        };
        if let Some(task) = self.tasks.get(result.key as usize) {
            let mut live = self.live.lock().expect("no code panics while holding this lock");
            live.written.remove(&(self.agreement, *task));
        }
        let WorkResult { key, outcome, usage } = result;
        let item = u32::try_from(key).unwrap_or(u32::MAX);
        let end = TaskEnd { batch: self.batch, item, outcome, usage, started_at, ended_at };
        let _ = self.ends.send(Event::WorkEnded(end));
    }
}
