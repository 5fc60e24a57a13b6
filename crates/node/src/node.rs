//! The loop: facts go in, orders come out, one place does the doing.

use crate::{
    audits::Audits,
    config::Config,
    consumer::Consumer,
    event::Event,
    handle::JobEvent,
    host::Host,
    images::KeptImage,
    journal::{Commit, JournalWriter, Keeping, Promise},
    ledger::OwnLedger,
    links::Links,
    membership::Membership,
    offers::OwnOffers,
    payments::Payments,
    requests::{Request, tell},
    services::Services,
    steady::Steady,
};
use opensky_market::Market;
use opensky_ports::{BlobStore, Clock, Executor, Journal, Machine, Record, Transport, TransportEvent};
use opensky_types::{
    Keypair, NodeId, Timestamp,
    limits::ContributionLimits,
    resources::{HardwareProfile, Readings},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::Interval,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[cfg(test)]
mod tests;

/// Events handled before what piled up is signed, journalled and sent: one signature and one
/// journal row then cover many tasks.
const EVENTS_PER_ROUND_MAX: usize = 512;
/// Longest wait at the end for last messages to go out, and then for tasks to end.
const GOODBYE_MAX: Duration = Duration::from_secs(5);

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
    /// What jobs wait by.
    pub(crate) steady: Steady,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hardware: HardwareProfile,
    pub(crate) readings: Readings,
    pub(crate) limits: ContributionLimits,
    /// Images kept by name, in order of name.
    pub(crate) images: Vec<KeptImage>,

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
    pub(crate) services: Services,
    pub(crate) ledger: OwnLedger,
    pub(crate) audits: Audits,
    pub(crate) payments: Payments,

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
pub(crate) struct Sources {
    pub(crate) transport: mpsc::Receiver<TransportEvent>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) events: mpsc::Receiver<Event>,
    /// What the journal's writer says. Bounded by the commits that may wait for it.
    pub(crate) kept: mpsc::UnboundedReceiver<Event>,
    pub(crate) tick: Interval,
}

impl Node {
    pub(crate) async fn run(mut self, mut sources: Sources, writer: JournalWriter) -> End {
        tracing::info!(node = %self.own, sky = %self.membership.genesis().sky().short(), "node is up");
        let end = loop {
            self.round(&mut sources, &writer).await;
            if let Some(end) = self.end {
                break end;
            }
        };
        self.shut_down(writer, sources).await;
        tracing::info!("node is down");
        end
    }

    /// Handles what has happened, then signs, journals and sends what piled up.
    pub(crate) async fn round(&mut self, sources: &mut Sources, writer: &JournalWriter) {
        let event = self.next_event(sources).await;
        self.handle_event(event);
        let mut handled = 1;
        while handled < EVENTS_PER_ROUND_MAX
            && let Some(event) = self.local.pop_front().or_else(|| sources.events.try_recv().ok())
        {
            self.handle_event(event);
            handled += 1;
        }
        self.flush(sources, writer).await;
    }

    /// The only place that waits for something to happen. What the node tells itself is one source
    /// among the others: a node that is busy with its own work still hears the rest of the world.
    async fn next_event(&mut self, sources: &mut Sources) -> Event {
        tokio::select! {
            Some(event) = sources.events.recv() => event,
            Some(event) = sources.transport.recv() => Event::Transport(event),
            Some(request) = sources.requests.recv() => Event::Request(request),
            Some(event) = sources.kept.recv() => event,
            Some(event) = async { self.local.pop_front() }, if !self.local.is_empty() => event,
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
            Event::ResultsRecalled { node, root, known } => {
                self.on_results_recalled(now, node, root, known);
            }
            Event::OutputsStored { job, stored } => self.on_outputs_stored(job, stored),
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
            Event::Checked { job, task, runs, verdict, ran } => {
                self.on_checked(now, job, task, runs, verdict, ran);
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
            Event::Readings { hardware, readings } => self.on_readings(now, *hardware, readings),
            Event::BlockFinal(news) => self.on_block_final(now, &news),
            Event::CaughtUp { from, caught } => self.on_caught_up(now, from, caught),
            Event::Testified { receipt, gathered } => self.on_testified(receipt, gathered),
            Event::Approved { transaction, approval, answer } => {
                self.on_approved(now, &transaction, approval, answer);
            }
            Event::Service(event) => self.on_service_event(now, *event),
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
            TransportEvent::Gossip { topic, from, bytes, verdict } => {
                self.on_gossip(now, topic, from, bytes, verdict);
            }
        }
    }

    fn on_tick(&mut self, now: Timestamp) {
        self.ticks += 1;
        self.schedule(now, opensky_scheduler::Input::Tick);
        self.provide(now, opensky_provider::Input::Tick);
        self.links_tick(now);
        self.services_tick(now);
        // With the first tick already: a job that comes right after the start finds this node's offer.
        if self.ticks % 10 == 1 {
            self.every_second(now);
        }
    }

    fn every_second(&mut self, now: Timestamp) {
        self.market.expire(now);
        self.services_second(now);
        self.expire_proposals(now);
        self.publish_progress();
        self.offer_if_due(now);
        self.ledger_tick(now);
        self.look_after_payments(now);
        if self.ticks % 50 == 1 {
            self.read_machine();
            self.see_peers();
        }
    }

    /// Signs, journals and sends what the round has piled up. While the disk is far behind, or
    /// broken, only users are answered and promises kept; nothing else is taken in.
    async fn flush(&mut self, sources: &mut Sources, writer: &JournalWriter) {
        let now = self.clock.now();
        self.host_flush(now);
        self.consumer_flush(now);
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        let mut queued = std::pin::pin!(writer.commit(pending));
        loop {
            tokio::select! {
                biased;
                () = &mut queued => return,
                Some(event) = sources.kept.recv() => self.handle_event(event),
                Some(request) = sources.requests.recv() => self.handle_event(Event::Request(request)),
            }
            if self.end.is_some() {
                if tokio::time::timeout(GOODBYE_MAX, queued).await.is_err() {
                    tracing::error!("the node ends with facts that could not be kept; none was promised");
                }
                return;
            }
        }
    }

    /// Queues a fact for the disk.
    pub(crate) fn keep_record(&mut self, record: Record) {
        self.keep_record_as(Keeping::Durable, record);
    }

    /// Queues a fact that is kept as what it belongs to.
    pub(crate) fn keep_record_as(&mut self, keeping: Keeping, record: Record) {
        self.pending.records.push(record);
        self.pending.synced |= keeping == Keeping::Durable;
    }

    /// Queues a promise to be kept once all facts queued so far are on disk.
    pub(crate) fn promise(&mut self, promise: Promise) {
        self.promise_as(Keeping::Durable, promise);
    }

    /// Queues a promise that rests on facts kept as `keeping` says, or on none.
    pub(crate) fn promise_as(&mut self, keeping: Keeping, promise: Promise) {
        self.pending.promises.push(promise);
        self.pending.synced |= keeping == Keeping::Durable;
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
            Promise::Transact(signed) => {
                if let Err(error) = self.submit_transaction(self.clock.now(), *signed) {
                    tracing::debug!(%error, "the ledger does not take a report yet");
                }
            }
            Promise::Done(answer) => tell(answer, ()),
            Promise::Publish(events) => events.into_iter().for_each(|event| self.publish(event)),
        }
    }

    /// Tells watchers, if there are any.
    pub(crate) fn publish(&self, event: JobEvent) {
        // An error only says that nobody watches.
        let _ = self.job_events.send(event);
    }

    /// Ends in the order of what rests on what: work, then facts, then the words that rest on facts,
    /// then the streams that carry them.
    async fn shut_down(mut self, writer: JournalWriter, mut sources: Sources) {
        self.provide(self.clock.now(), opensky_provider::Input::Drain);
        self.executor.shut_down().await;
        if let Some(engine) = self.services.engine() {
            engine.shut_down().await;
        }
        while let Ok(event) = sources.events.try_recv() {
            self.handle_event(event);
        }
        self.flush(&mut sources, &writer).await;
        writer.finish().await;
        while let Ok(event) = sources.kept.try_recv() {
            self.handle_event(event);
        }
        self.links.close_all(GOODBYE_MAX).await;
        self.stop.cancel();
        self.tasks.close();
        // Tasks that report into a queue nobody reads any more must not wait for room in it.
        drop(sources);
        self.transport.shut_down().await;
        if tokio::time::timeout(GOODBYE_MAX, self.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "some tasks did not end in time");
        }
        for answer in self.shutdown_answers {
            tell(answer, ());
        }
    }
}
