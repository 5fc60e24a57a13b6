//! The loop: facts go in, orders come out, one place does the doing.

use crate::{
    config::Config,
    consumer::Consumer,
    event::Event,
    handle::{Handle, JobEvent},
    host::Host,
    journal::{Commit, JournalWriter, Promise},
    links::Links,
    membership::Membership,
    offers::OwnOffers,
    requests::{Request, tell},
};
use opensky_market::Market;
use opensky_ports::{
    BlobStore, Clock, Engine, Executor, Journal, JournalError, Machine, Record, Transport, TransportEvent,
};
use opensky_types::{
    Keypair, NodeId, Timestamp,
    limits::ContributionLimits,
    membership::{Genesis, MembershipChain},
    resources::{HardwareProfile, Readings},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::JoinHandle,
    time::{Interval, MissedTickBehavior},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Events of the node's own tasks that may wait.
const EVENTS_MAX: usize = 8_192;
/// Questions of users that may wait.
const REQUESTS_MAX: usize = 256;
/// Job events that a slow watcher may lag behind.
const JOB_EVENTS_MAX: usize = 1_024;
/// Events handled before what piled up is signed, journalled and sent: one signature and one
/// journal row then cover many tasks.
const EVENTS_PER_ROUND_MAX: usize = 512;
/// The pulse of the cores.
const TICK: Duration = Duration::from_millis(100);

/// Everything a node is made of.
pub struct Parts {
    /// The node's key.
    pub key: Keypair,
    /// Its sky.
    pub genesis: Genesis,
    /// Its membership.
    pub chain: MembershipChain,
    /// The network, and what happens on it.
    pub transport: Arc<dyn Transport>,
    /// See `transport`.
    pub transport_events: mpsc::Receiver<TransportEvent>,
    /// Runs tasks.
    pub executor: Arc<dyn Executor>,
    /// Holds content.
    pub blobs: Arc<dyn BlobStore>,
    /// Holds facts.
    pub journal: Arc<dyn Journal>,
    /// The hardware.
    pub machine: Arc<dyn Machine>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// How often this data folder was started, this start included.
    pub starts: u32,
    /// The owner's limits, where none are kept yet.
    pub limits: ContributionLimits,
    /// Settings.
    pub config: Config,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What was kept cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system gave no thread.
    #[error("no thread for the journal")]
    Thread(#[from] std::io::Error),
}

/// How a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Asked,
    /// Another process runs with this node's key.
    Twin,
}

/// A running node. All its state is owned by one task.
pub struct Node {
    pub(crate) own: NodeId,
    pub(crate) key: Keypair,
    pub(crate) config: Config,
    pub(crate) started_at: Timestamp,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) engine: Engine,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hardware: HardwareProfile,
    pub(crate) readings: Readings,
    pub(crate) limits: ContributionLimits,

    pub(crate) membership: Membership,
    /// Members known, and whether they are connected.
    pub(crate) members: BTreeMap<NodeId, bool>,
    /// Round trips to connected members, in microseconds.
    pub(crate) rtt_us: BTreeMap<NodeId, u64>,
    pub(crate) market: Market,
    pub(crate) offers: OwnOffers,
    pub(crate) links: Links,
    pub(crate) consumer: Consumer,
    pub(crate) host: Host,

    pub(crate) disk_problem: Option<String>,
    pub(crate) pending: Commit,
    pub(crate) local: VecDeque<Event>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) job_events: broadcast::Sender<JobEvent>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) end: Option<End>,
    pub(crate) shutdown_answers: Vec<oneshot::Sender<()>>,
    pub(crate) ticks: u64,
    pub(crate) reading: bool,
}

/// Where events come from.
struct Sources {
    transport: mpsc::Receiver<TransportEvent>,
    requests: mpsc::Receiver<Request>,
    events: mpsc::Receiver<Event>,
    tick: Interval,
}

impl Node {
    /// Starts a node. The task ends when [`Handle::shut_down`] is called, or by itself if it must.
    pub async fn start(parts: Parts) -> Result<(Handle, JoinHandle<End>), StartError> {
        let (events, event_queue) = mpsc::channel(EVENTS_MAX);
        let (requests, request_queue) = mpsc::channel(REQUESTS_MAX);
        let (job_events, _) = broadcast::channel(JOB_EVENTS_MAX);
        let handle = Handle {
            node: parts.key.id(),
            requests,
            job_events: job_events.clone(),
            blobs: Arc::clone(&parts.blobs),
            journal: Arc::clone(&parts.journal),
            clock: Arc::clone(&parts.clock),
        };
        let writer = JournalWriter::start(Arc::clone(&parts.journal), events.clone())?;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (node, transport) = tokio::task::spawn_blocking(move || Self::build(parts, events, job_events))
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let sources = Sources { transport, requests: request_queue, events: event_queue, tick };
        Ok((handle, tokio::spawn(node.run(sources, writer))))
    }

    /// Reads what was kept and puts the cores together. Blocks on the disk.
    fn build(
        parts: Parts,
        events: mpsc::Sender<Event>,
        job_events: broadcast::Sender<JobEvent>,
    ) -> Result<(Self, mpsc::Receiver<TransportEvent>), StartError> {
        let own = parts.key.id();
        let now = parts.clock.now();
        let engine = parts.executor.engine();
        let limits = crate::settings::limits(parts.journal.as_ref())?.unwrap_or(parts.limits);
        let hardware = parts.machine.profile();
        let readings = parts.machine.readings();
        let sky = parts.genesis.sky();
        let membership = Membership::new(parts.genesis, own, parts.chain, parts.journal.invites()?);
        let secret = crate::settings::scheduler_secret(parts.journal.as_ref(), parts.clock.as_ref())?;
        let known = parts.journal.members()?;
        let market =
            Market::new(opensky_market::Config { home_region: parts.config.region, ..Default::default() });
        let mut node = Self {
            own,
            key: parts.key,
            started_at: now,
            transport: parts.transport,
            blobs: parts.blobs,
            journal: parts.journal,
            machine: parts.machine,
            hardware,
            readings,
            limits,
            membership,
            members: known.iter().map(|(node, ..)| (*node, false)).collect(),
            rtt_us: BTreeMap::new(),
            market,
            offers: OwnOffers::new(own, parts.starts),
            links: Links::default(),
            consumer: Consumer::new(secret),
            host: Host::new(sky, own, &engine, parts.clock.random()),
            executor: parts.executor,
            engine,
            clock: parts.clock,
            config: parts.config,
            disk_problem: None,
            pending: Commit::default(),
            local: VecDeque::new(),
            events,
            job_events,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            end: None,
            shutdown_answers: Vec::new(),
            ticks: 0,
            reading: false,
        };
        for (member, _, addresses) in known {
            node.transport.admit(member, addresses);
        }
        node.restore(now)?;
        Ok((node, parts.transport_events))
    }

    /// Takes up what was open when the node last stopped.
    fn restore(&mut self, now: Timestamp) -> Result<(), StartError> {
        let agreements = self.journal.agreements()?;
        self.host_restore(now, &agreements);
        self.consumer_restore(now, &agreements)?;
        Ok(())
    }

    async fn run(mut self, mut sources: Sources, writer: JournalWriter) -> End {
        tracing::info!(node = %self.own, sky = %self.membership.genesis().sky().short(), "node is up");
        let end = loop {
            let event = self.next_event(&mut sources).await;
            self.handle_event(event);
            let mut handled = 1;
            while handled < EVENTS_PER_ROUND_MAX
                && let Some(event) = self.local.pop_front().or_else(|| sources.events.try_recv().ok())
            {
                self.handle_event(event);
                handled += 1;
            }
            self.flush(&writer).await;
            if let Some(end) = self.end {
                break end;
            }
        };
        self.shut_down(writer, sources).await;
        tracing::info!("node is down");
        end
    }

    /// The only place that waits.
    async fn next_event(&mut self, sources: &mut Sources) -> Event {
        if let Some(event) = self.local.pop_front() {
            return event;
        }
        tokio::select! {
            Some(event) = sources.events.recv() => event,
            Some(event) = sources.transport.recv() => Event::Transport(event),
            Some(request) = sources.requests.recv() => Event::Request(request),
            _ = sources.tick.tick() => Event::Tick,
        }
    }

    fn handle_event(&mut self, event: Event) {
        let now = self.clock.now();
        match event {
            Event::Transport(event) => self.on_transport(now, event),
            Event::Request(request) => self.on_request(now, request),
            Event::FromProvider { node, message } => self.on_provider_message(now, node, message),
            Event::FromConsumer { node, message } => self.on_consumer_message(now, node, message),
            Event::LinkOpened { node, stream } => self.on_link_opened(now, node, stream),
            Event::ProviderLinkEnded { node, generation } => {
                self.on_provider_link_ended(now, node, generation)
            }
            Event::ConsumerLinkEnded { node, generation } => {
                self.on_consumer_link_ended(now, node, generation)
            }
            Event::ProgramFetched { agreement, result } => self.on_program_fetched(now, agreement, result),
            Event::InputsFetched { agreement, task, result } => {
                self.on_inputs_fetched(now, agreement, task, result)
            }
            Event::InputsMade { job, agreement, node, tasks, result } => {
                self.on_inputs_made(now, job, agreement, node, tasks, result);
            }
            Event::OutputsFetched { agreement, run, result } => {
                self.on_outputs_fetched(now, agreement, run, result)
            }
            Event::WorkEnded(end) => self.host.ended.push(end),
            Event::WorkWrote { to, agreement, task, stream, bytes } => {
                self.send_output(to, agreement, task, stream, &bytes);
            }
            Event::BatchEnded { batch } => self.host.forget_batch(batch),
            Event::Kept(promises) => promises.into_iter().for_each(|promise| self.keep(promise)),
            Event::Disk { problem } => self.disk_problem = problem,
            Event::OffersFetched { offers } => self.on_offers_fetched(now, offers),
            Event::LookedUp { job, stage, offers } => self.on_looked_up(now, job, stage, offers),
            Event::JobLoaded { job, loaded, answer } => self.on_job_loaded(now, job, loaded, answer),
            Event::InviteAsked { uses_max, ttl_ms, addresses, answer } => {
                self.issue_invite(now, uses_max, ttl_ms, addresses, answer);
            }
            Event::PeersSeen(peers) => self.on_peers_seen(peers),
            Event::JobRetired { job } => self.on_job_retired(now, job),
            Event::Readings { hardware, readings } => self.on_readings(now, hardware, readings),
            Event::Tick => self.on_tick(now),
        }
    }

    fn on_transport(&mut self, now: Timestamp, event: TransportEvent) {
        match event {
            TransportEvent::Knocked { from, address, body, answer } => {
                self.on_knock(now, from, &address, &body, answer);
            }
            TransportEvent::Welcomed { from, address, body } => self.on_welcome(from, &address, &body),
            TransportEvent::PeerUp { node } => self.on_peer_up(now, node),
            TransportEvent::PeerDown { node } => self.on_peer_down(now, node),
            TransportEvent::Stream { from, protocol, stream } => self.on_stream(now, from, protocol, stream),
            TransportEvent::Gossip { topic: _, from: _, bytes, verdict } => {
                self.on_gossip(now, &bytes, verdict)
            }
        }
    }

    fn on_tick(&mut self, now: Timestamp) {
        self.ticks += 1;
        self.schedule(now, opensky_scheduler::Input::Tick);
        self.provide(now, opensky_provider::Input::Tick);
        self.links_tick(now);
        if self.ticks.is_multiple_of(10) {
            self.every_second(now);
        }
    }

    fn every_second(&mut self, now: Timestamp) {
        self.market.expire(now);
        self.publish_progress(now);
        self.offer_if_due(now);
        if self.ticks.is_multiple_of(50) {
            self.read_machine();
            self.see_peers();
        }
    }

    /// Signs, journals and sends what the round has piled up.
    async fn flush(&mut self, writer: &JournalWriter) {
        let now = self.clock.now();
        self.host_flush(now);
        self.consumer_flush();
        let pending = std::mem::take(&mut self.pending);
        if !pending.records.is_empty() || !pending.promises.is_empty() {
            writer.commit(pending).await;
        }
    }

    /// Queues facts that nobody waits for.
    pub(crate) fn keep_record(&mut self, record: Record) {
        self.pending.records.push(record);
    }

    /// Queues a promise to be kept once all facts queued so far are on disk.
    pub(crate) fn promise(&mut self, promise: Promise) {
        self.pending.promises.push(promise);
    }

    /// Facts are on disk: lets the answer out.
    fn keep(&mut self, promise: Promise) {
        match promise {
            Promise::Submitted { job, answer } => tell(answer, Ok(job)),
            Promise::Retried { answer } => tell(answer, Ok(true)),
            Promise::Invited { token, answer } => tell(answer, Ok(*token)),
            Promise::Admit { node, addresses, answer, reply } => {
                if answer.send(reply).is_ok() {
                    self.transport.admit(node, addresses);
                    self.members.entry(node).or_insert(false);
                }
            }
            Promise::Tell { node, message } => self.tell_provider(node, *message),
            Promise::Done(answer) => tell(answer, ()),
            Promise::Publish(events) => events.into_iter().for_each(|event| self.publish(event)),
        }
    }

    /// Tells watchers, if there are any.
    pub(crate) fn publish(&self, event: JobEvent) {
        // An error only says that nobody watches.
        let _ = self.job_events.send(event);
    }

    async fn shut_down(mut self, writer: JournalWriter, mut sources: Sources) {
        self.provide(self.clock.now(), opensky_provider::Input::Drain);
        self.executor.shut_down().await;
        // What the drain has ended arrives now, is signed, kept, and sent to who is still there.
        while let Ok(event) = sources.events.try_recv() {
            self.handle_event(event);
        }
        self.flush(&writer).await;
        self.stop.cancel();
        self.links.close_all();
        self.tasks.close();
        // Tasks that report into a queue nobody reads any more must not wait for room in it.
        drop(sources);
        self.transport.shut_down().await;
        if tokio::time::timeout(Duration::from_secs(5), self.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "some tasks did not end in time");
        }
        writer.finish().await;
        for answer in self.shutdown_answers {
            tell(answer, ());
        }
    }
}
