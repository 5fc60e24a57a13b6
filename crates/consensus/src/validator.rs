//! A validator on this machine: the engine on its runtime's threads, the chain on one of its own.

use crate::{
    assembly::{self, Parts, message_bytes_max},
    block::Block,
    chain::{Chain, Failure},
    config::{Rules, RulesError},
    link::{link, serve_blocking},
    marker::{FileMark, LostJournal},
    runtime::{CHANNELS, Channels, quota},
    validators::{VALIDATORS_MAX, engine_key},
    voting::VotingError,
    wire::namespace,
};
use commonware_codec::{Copying, DecodeExt};
use commonware_cryptography::{ChaCha20Poly1305, ed25519::PrivateKey};
use commonware_p2p::{Ingress, authenticated::discovery};
use commonware_runtime::{Metrics, Quota, Runner, Spawner, Supervisor, tokio as engine_runtime};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{Hostname, NZU32, NZUsize};
use opensky_types::{Keypair, NodeId};
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::{Notify, mpsc, oneshot};

/// Threads of the engine's runtime. Votes are few; a validator shares its machine with the node.
const ENGINE_THREADS: usize = 2;
/// A connection between validators is dead on which nothing came for so long, or that took so long for one message: a
/// block of 1 MiB to each of 63 others needs about 53 Mbit/s.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Validators tell each other whom they know this often, so that a connection that works is not silent.
const GOSSIP_EVERY: Duration = Duration::from_secs(5);
/// How long tasks may take to end after a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
const MAILBOX: usize = 1_024;

/// Where a validator can be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// By address and port.
    Ip(SocketAddr),
    /// By name and port.
    Name {
        /// A DNS name.
        host: String,
        /// TCP port.
        port: u16,
    },
}

/// What a validator needs to run.
pub struct ValidatorConfig {
    /// The node's key; its public half is the validator's name.
    pub key: Keypair,
    /// The sky's genesis block.
    pub genesis: Block,
    /// The sky's rules and this validator's pace.
    pub rules: Rules,
    /// TCP address to listen on.
    pub listen: SocketAddr,
    /// Where others dial this validator.
    pub dialable: Address,
    /// Validators dialled first; the rest is learned from them. Empty for the first of a sky.
    pub known: Vec<(NodeId, Address)>,
    /// A folder of the validator's own: journal of votes, final blocks.
    pub folder: PathBuf,
    /// The file that keeps the last epoch voted in; beside the key, never inside `folder`.
    pub mark: PathBuf,
    /// What to do if `folder` is lost and the mark is not.
    pub lost_journal: LostJournal,
}

/// Why a validator does not run.
#[derive(Debug, thiserror::Error)]
pub enum ValidatorError {
    /// The rules contradict themselves.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A name that is no DNS name.
    #[error("'{0}' is not a host name")]
    Host(String),
    /// A known validator whose id is no key.
    #[error("{0} is not an ed25519 key")]
    NoKey(NodeId),
    /// The mark would be lost together with the journal it guards.
    #[error("the mark {mark} must not lie in the validator's folder", mark = .0.display())]
    MarkInFolder(PathBuf),
    /// No thread to run on.
    #[error("a thread of the validator could not start")]
    Thread(#[source] io::Error),
    /// The engine could not start, or stopped.
    #[error("consensus stopped: {0}")]
    Engine(#[source] Failure),
    /// The others have dropped the blocks that this validator lacks. It may start again once the chain has
    /// reached that epoch by other means.
    #[error(
        "the other validators are in epoch {epoch}, and the blocks that lead there are only in their ledgers"
    )]
    Behind {
        /// The epoch that others vote in.
        epoch: u64,
    },
    /// The chain and what was finalized do not agree, or its disk failed.
    #[error("the ledger stopped consensus: {0}")]
    Chain(#[source] Failure),
    /// A thread panicked; the log has the place.
    #[error("the {0} of the validator panicked")]
    Panicked(&'static str),
}

enum Command {
    Metrics(oneshot::Sender<String>),
    Stop,
}

type Ended = Result<(), ValidatorError>;

/// A running validator.
pub struct Validator {
    work: Arc<Notify>,
    commands: mpsc::Sender<Command>,
    engine: JoinHandle<Ended>,
    chain: JoinHandle<Result<(), Failure>>,
}

impl Validator {
    /// Starts a validator and returns once it takes part. Blocks while final blocks that the chain had
    /// not kept are given to it. Runs until [`Validator::stop`]; [`Validator::is_running`] tells
    /// whether it ended before.
    pub fn start(config: ValidatorConfig, chain: impl Chain) -> Result<Self, ValidatorError> {
        config.rules.check()?;
        if config.mark.starts_with(&config.folder) {
            return Err(ValidatorError::MarkInFolder(config.mark));
        }
        let network = network_config(&config)?;
        let (link, calls) = link();
        let work = Arc::new(Notify::new());
        let (commands, inbox) = mpsc::channel(4);
        let (ready, is_ready) = oneshot::channel();
        let chain = spawn("ledger", move || serve_blocking(chain, calls))?;
        let engine_work = work.clone();
        let engine = spawn_engine(config, network, link, engine_work, inbox, ready)?;
        let validator = Self { work, commands, engine, chain };
        match is_ready.blocking_recv() {
            Ok(()) => Ok(validator),
            // The engine is gone; joining it says why.
            Err(_) => Err(validator.join().err().unwrap_or(ValidatorError::Panicked("engine"))),
        }
    }

    /// Says that there is something to propose. Cheap, and safe from any thread or runtime.
    pub fn work(&self) -> Arc<Notify> {
        self.work.clone()
    }

    /// Whether the validator still runs; if not, [`Validator::stop`] says why.
    pub fn is_running(&self) -> bool {
        !self.engine.is_finished() && !self.chain.is_finished()
    }

    /// The engine's metrics in Prometheus text form; none when it has stopped.
    pub async fn metrics(&self) -> Option<String> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Metrics(answer)).await.ok()?;
        answered.await.ok()
    }

    /// Stops and waits for the end. Blocking. Says why the validator had ended, if it had.
    pub fn stop(self) -> Result<(), ValidatorError> {
        // A full or closed inbox is no obstacle: dropping the sender stops the engine as well.
        let _ = self.commands.try_send(Command::Stop);
        self.join()
    }

    fn join(self) -> Result<(), ValidatorError> {
        drop(self.commands);
        let engine = self.engine.join().map_err(|_| ValidatorError::Panicked("engine"));
        let chain = self.chain.join().map_err(|_| ValidatorError::Panicked("ledger"));
        // When the chain failed the engine only followed.
        chain?.map_err(ValidatorError::Chain)?;
        engine?
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, ValidatorError> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(ValidatorError::Thread)
}

/// Apart from [`Validator::start`], which is generic, so that the engine is compiled once, with this crate.
fn spawn_engine(
    config: ValidatorConfig,
    network: discovery::Config<Handshake>,
    link: crate::link::Link,
    work: Arc<Notify>,
    inbox: mpsc::Receiver<Command>,
    ready: oneshot::Sender<()>,
) -> Result<JoinHandle<Ended>, ValidatorError> {
    spawn("consensus", move || {
        let runner = engine_runtime::Runner::new(
            engine_runtime::Config::new()
                .with_worker_threads(ENGINE_THREADS)
                .with_read_write_timeout(SILENCE_MAX)
                .with_storage_directory(config.folder.clone()),
        );
        runner.start(|context| run(context, config, network, link, work, inbox, ready))
    })
}

type Handshake = Cups<Sake<PrivateKey>, ChaCha20Poly1305>;

async fn run(
    context: engine_runtime::Context,
    config: ValidatorConfig,
    network: discovery::Config<Handshake>,
    link: crate::link::Link,
    work: Arc<Notify>,
    mut inbox: mpsc::Receiver<Command>,
    ready: oneshot::Sender<()>,
) -> Ended {
    let (mut network, oracle) = discovery::Network::new(context.child("network"), network);
    let mut channel = |index: usize| network.register(CHANNELS[index], quota());
    let channels = Channels {
        votes: channel(0),
        certificates: channel(1),
        resolver: channel(2),
        blocks: channel(3),
        backfill: channel(4),
    };
    network.start();
    let parts = Parts {
        prefix: String::new(),
        sky: config.genesis.header().sky,
        key: engine_secret(&config.key),
        genesis: config.genesis,
        rules: config.rules,
        mark: Box::new(FileMark::new(config.mark)),
        lost_journal: config.lost_journal,
        link,
        work,
        blocker: oracle.clone(),
        manager: oracle,
        channels,
    };
    let mut voting = assembly::start(context.child("validator"), parts)
        .await
        .map_err(|error| ValidatorError::Engine(Box::new(error)))?;
    // Whoever started this may have given up; then the inbox is closed and the loop ends at once.
    let _ = ready.send(());
    let ended = loop {
        tokio::select! {
            ended = &mut voting => break match ended {
                Ok(Err(VotingError::Behind(epoch))) => Err(ValidatorError::Behind { epoch }),
                Ok(ended) => ended.map_err(|error| ValidatorError::Engine(Box::new(error))),
                Err(error) => Err(ValidatorError::Engine(Box::new(error))),
            },
            command = inbox.recv() => match command {
                Some(Command::Metrics(to)) => drop(to.send(context.encode())),
                Some(Command::Stop) | None => break Ok(()),
            },
        }
    };
    if let Err(error) = context.stop(0, Some(STOP_TIMEOUT)).await {
        tracing::warn!(%error, "tasks of consensus did not end in time");
    }
    ended
}

fn network_config(config: &ValidatorConfig) -> Result<discovery::Config<Handshake>, ValidatorError> {
    let known = config.known.iter().map(|(node, address)| {
        let key = engine_key(*node).ok_or(ValidatorError::NoKey(*node))?;
        Ok((key, ingress(address)?))
    });
    let sake = Sake {
        signer: engine_secret(&config.key),
        synchrony_bound: Duration::from_secs(5),
        max_handshake_age: Duration::from_secs(10),
        version: sake::Version::V1,
    };
    let mut network = discovery::Config::recommended(
        Cups::new(sake, cups::Version::V1),
        &namespace(config.genesis.header().sky),
        config.listen,
        ingress(&config.dialable)?,
        known.collect::<Result<_, ValidatorError>>()?,
        NZUsize!(VALIDATORS_MAX),
        message_bytes_max(&config.rules),
        NZUsize!(MAILBOX),
    );
    // Skies live in private networks too, behind one address, and a validator that restarts has to be
    // back within seconds.
    network.allow_private_ips = true;
    network.peer_connection_cooldown = Duration::from_secs(1);
    network.allowed_handshake_rate_per_ip = Quota::per_second(NZU32!(16));
    network.dial_frequency = Duration::from_millis(250);
    // A cable that was pulled is noticed by silence, and found to be back by the next try: the system's own tries
    // to send come rarer and rarer, and would take as long again as the cable was away.
    network.dial_timeout = Duration::from_secs(2);
    network.gossip_bit_vec_frequency = GOSSIP_EVERY;
    // Each has that time for itself.
    network.send_batch_size = NZUsize!(1);
    network.block_duration = Duration::from_mins(10);
    Ok(network)
}

fn ingress(address: &Address) -> Result<Ingress, ValidatorError> {
    match address {
        Address::Ip(socket) => Ok(Ingress::Socket(*socket)),
        Address::Name { host, port } => {
            let name = Hostname::new(host.clone()).map_err(|_| ValidatorError::Host(host.clone()))?;
            Ok(Ingress::Dns { host: name, port: *port })
        }
    }
}

fn engine_secret(key: &Keypair) -> PrivateKey {
    PrivateKey::decode(Copying(&key.seed()[..])).expect("any 32 bytes are a seed")
}
