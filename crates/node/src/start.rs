//! How a node starts: its parts put together, and what was open taken up again.

use crate::{
    audits::Audits,
    config::Config,
    consumer::Consumer,
    event::Event,
    fetch::blocking,
    handle::{Handle, JobEvent},
    host::Host,
    journal::{Commit, JournalWriter},
    ledger::{HEARD_MAX, Heard, OwnLedger, forward_news, judge},
    links::Links,
    membership::Membership,
    node::{End, Node, Sources},
    offers::OwnOffers,
    payments::Payments,
    services::Services,
    steady::Steady,
};
use opensky_market::Market;
use opensky_ports::{
    BlobStore, Clock, Executor, Journal, JournalError, LedgerEngine, Machine, Record, ServiceEngine,
    Transport, TransportEvent,
};
use opensky_types::{
    Hash, Keypair, Timestamp,
    limits::ContributionLimits,
    membership::{Genesis, MembershipChain},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc},
    task::JoinHandle,
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Events of the node's own tasks that may wait.
const EVENTS_MAX: usize = 8_192;
/// Questions of users that may wait.
const REQUESTS_MAX: usize = 256;
/// Job events that a slow watcher may lag behind.
const JOB_EVENTS_MAX: usize = 1_024;
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
    /// Runs programs that stay up; none where the owner shares nothing of the kind.
    pub services: Option<Arc<dyn ServiceEngine>>,
    /// Holds content.
    pub blobs: Arc<dyn BlobStore>,
    /// Holds facts.
    pub journal: Arc<dyn Journal>,
    /// The sky's ledger.
    pub ledger: Arc<dyn LedgerEngine>,
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

impl Node {
    /// Starts a node. The task ends when [`Handle::shut_down`] is called, or by itself if it must.
    pub async fn start(parts: Parts) -> Result<(Handle, JoinHandle<End>), StartError> {
        let (handle, node, sources, writer) = Self::assemble(parts).await?;
        Ok((handle, tokio::spawn(node.run(sources, writer))))
    }

    /// A node that is ready to run, with all that it runs on.
    pub(crate) async fn assemble(parts: Parts) -> Result<(Handle, Self, Sources, JournalWriter), StartError> {
        let (events, event_queue) = mpsc::channel(EVENTS_MAX);
        let (requests, request_queue) = mpsc::channel(REQUESTS_MAX);
        let (job_events, _) = broadcast::channel(JOB_EVENTS_MAX);
        let handle = Handle {
            node: parts.key.id(),
            requests,
            job_events: job_events.clone(),
            blobs: Arc::clone(&parts.blobs),
            journal: Arc::clone(&parts.journal),
            ledger: Arc::clone(&parts.ledger),
            clock: Arc::clone(&parts.clock),
        };
        let forwarded = forward_news(parts.ledger.subscribe(), events.clone());
        let (heard, hearing) = mpsc::channel(HEARD_MAX);
        let judged = judge(hearing, Arc::clone(&parts.ledger));
        let (writer, kept) = JournalWriter::start(Arc::clone(&parts.journal));
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (node, transport) = blocking(move || Self::build(parts, events, job_events, heard)).await?;
        let stop = node.stop.clone();
        node.tasks.spawn(async move { stop.run_until_cancelled(forwarded).await });
        let stop = node.stop.clone();
        node.tasks.spawn(async move { stop.run_until_cancelled(judged).await });
        let sources = Sources { transport, requests: request_queue, events: event_queue, kept, tick };
        Ok((handle, node, sources, writer))
    }

    /// Reads what was kept and puts the cores together. Blocks on the disk.
    fn build(
        parts: Parts,
        events: mpsc::Sender<Event>,
        job_events: broadcast::Sender<JobEvent>,
        heard: mpsc::Sender<Heard>,
    ) -> Result<(Self, mpsc::Receiver<TransportEvent>), StartError> {
        let own = parts.key.id();
        let now = parts.clock.now();
        let limits = crate::settings::limits(parts.journal.as_ref())?.unwrap_or(parts.limits);
        let hardware = parts.machine.profile();
        let readings = parts.machine.readings();
        let (sky, has_prices) = (parts.genesis.sky(), parts.ledger.genesis().params.economy);
        let membership = Membership::new(parts.genesis, own, parts.chain, parts.journal.invites()?);
        let secret = crate::settings::scheduler_secret(parts.journal.as_ref(), parts.clock.as_ref())?;
        let known = parts.journal.members()?;
        let automatic = crate::settings::auto_transfers(parts.journal.as_ref())?;
        let images = crate::settings::images(parts.journal.as_ref())?;
        crate::images::pin_all(&images, parts.blobs.as_ref());
        let market = Market::new(opensky_market::Config {
            home_region: parts.config.region,
            salt: market_salt(&secret),
            ..Default::default()
        });
        let mut node = Self {
            own,
            key: parts.key,
            started_at: now,
            steady: Steady::new(parts.clock.as_ref()),
            transport: parts.transport,
            blobs: parts.blobs,
            machine: parts.machine,
            hardware,
            readings,
            limits,
            images,
            membership,
            members: known.iter().map(|(node, ..)| (*node, false)).collect(),
            rtt_us: BTreeMap::new(),
            market,
            links: Links::default(),
            ledger: OwnLedger::new(parts.ledger, own, automatic, heard),
            payments: Payments::new(parts.journal.tabs()?),
            audits: Audits::load(parts.journal.as_ref())?,
            consumer: Consumer::new(secret, parts.starts),
            services: Services::new(sky, own, parts.services),
            host: Host::new((sky, has_prices), own, parts.clock.random()),
            offers: OwnOffers::new(own, parts.starts),
            journal: parts.journal,
            executor: parts.executor,
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
        // What neither side took up is over: its job has ended, or it was with this node itself.
        for (agreement, _) in agreements {
            if !self.consumer.holds(agreement) && self.host.provider.terms(agreement).is_none() {
                self.keep_record(Record::AgreementEnded { agreement });
            }
        }
        self.close_tabs(now);
        let kept = crate::settings::services(self.journal.as_ref())?;
        self.restore_services(now, kept);
        self.restore_open_ports(crate::settings::open_ports(self.journal.as_ref())?);
        Ok(())
    }
}

/// What draws the sample of offers that a full index keeps. Only this node knows it.
fn market_salt(secret: &[u8; 32]) -> u64 {
    let hash = Hash::of_value("opensky market salt 1", secret);
    let (start, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
    u64::from_le_bytes(*start)
}
