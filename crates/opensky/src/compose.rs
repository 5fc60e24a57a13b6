//! Boot order in plain sight: folder, key, journal, blobs, sky, ledger, network, executor, node, API.

use crate::{
    config::Config,
    executors::Executors,
    fail::{Exit, Fail},
    founding::{self, Entry},
    inspection::Inspector,
    passphrase::{KeyArgs, protection},
    settings::Settings,
};
use anyhow::{Context, Result};
use opensky_chain::{SkyLedger, Voting};
use opensky_executor_container::ContainerExecutor;
use opensky_executor_wasm::{RequestLimits, WasmExecutor};
use opensky_gateway::{Rename, Surroundings, Token};
use opensky_identity::{ApiToken, DataFolder, KeyFile, Layout, RunningNode};
use opensky_machine::LocalMachine;
use opensky_network::{Config as NetworkConfig, KnownMember, Network, Relays};
use opensky_node::{End, Handle, Node, Parts, member_knock};
use opensky_ports::{BlobStore, Clock, Executor, Journal, LedgerEngine, Machine, Transport};
use opensky_storage::{FileBlobs, RedbJournal};
use opensky_types::{Hash, Keypair, Timestamp, limits::ContributionLimits, membership::Genesis};
use rand::{TryRng, rngs::SysRng};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Most disk for compiled programs, in bytes.
const COMPILED_BYTES_MAX: u64 = 2 << 30;
/// How soon a container engine that comes or goes is noticed.
const CONTAINERS_LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long open requests may hold up the end of the node.
const REQUESTS_END_MAX: Duration = Duration::from_secs(3);
/// Room that a worker needs beside the memory of its task, in bytes.
const ENGINE_BYTES: u64 = 256 << 20;

/// A node with its API.
pub struct Running {
    handle: Handle,
    node: JoinHandle<End>,
    server: JoinHandle<std::io::Result<()>>,
    stop_server: CancellationToken,
    executors: Arc<Executors>,
    ledger: Arc<SkyLedger>,
    folder: DataFolder,
}

/// What a start needs beside the configuration.
pub struct Start<'a> {
    /// The data folder.
    pub data_dir: &'a Path,
    /// How the key is locked.
    pub key: &'a KeyArgs,
    /// Which sky to enter.
    pub entry: Entry,
    /// The owner says that the folder was moved, not copied.
    pub moved: bool,
    /// Whether everything is logged to the screen.
    pub verbose: bool,
}

/// A data folder with its key: all that a person may be asked about is settled.
pub struct Opened {
    settings: Settings,
    folder: DataFolder,
    key: Keypair,
    entry: Entry,
}

/// Opens the data folder and its key, and asks for the passphrase if need be.
pub fn open(config: &Config, start: Start<'_>) -> Result<Opened> {
    let settings = config.settings()?;
    let folder =
        if start.moved { DataFolder::open_moved(start.data_dir) } else { DataFolder::open(start.data_dir) };
    let folder = folder?;
    crate::logging::start(&log_file(folder.layout()), &settings.log, start.verbose)?;
    let key = open_key(folder.layout(), start.key)?;
    Ok(Opened { settings, folder, key, entry: start.entry })
}

/// Starts a node.
pub async fn start(config: &Config, opened: Opened) -> Result<Running> {
    let Opened { settings, folder, key, entry } = opened;
    let layout = folder.layout();
    let name = if settings.name.is_empty() { key.id().short() } else { settings.name.clone() };

    let clock: Arc<dyn Clock> = Arc::new(SystemClock(Instant::now()));
    let journal: Arc<dyn Journal> = Arc::new(RedbJournal::open(layout.journal_folder())?);
    let blobs: Arc<dyn BlobStore> = Arc::new(FileBlobs::open(&layout.blobs(), settings.blob_cap_bytes)?);
    let machine = Arc::new(LocalMachine::open(layout.root()));

    let mut network_config = network_config(&settings);
    if network_config.listen_port == 0 {
        network_config.listen_port = crate::port::remembered(journal.as_ref(), crate::port::LISTEN)?;
    }
    let (genesis, chain) =
        founding::enter(journal.as_ref(), clock.as_ref(), &key, &name, &entry, &network_config).await?;
    let ledger = ledger(layout, &settings, &key, &genesis, journal.as_ref(), &clock).await?;
    network_config.sky = genesis.sky();
    network_config.knock_body = member_knock(&genesis, &chain);
    for (node, _, addresses) in journal.members()? {
        network_config.members.push(KnownMember { node, addresses });
    }
    let (network, transport_events) = Network::start(network_config, &key)?;
    let network = Arc::new(network);
    let transport = Arc::clone(&network) as Arc<dyn Transport>;

    let limits = limits(machine.as_ref());
    let executors = Arc::new(executors(layout, &settings, machine.as_ref(), &blobs, &key).await?);
    if let Err(error) = crate::score::ensure(&machine, executors.as_ref(), blobs.as_ref()).await {
        tracing::warn!(
            error = format!("{error:#}"),
            "compute score not measured; jobs that ask for one go elsewhere"
        );
    }
    let parts = Parts {
        key,
        genesis,
        chain,
        transport,
        transport_events,
        executor: Arc::clone(&executors) as Arc<dyn Executor>,
        services: Some(executors.services()),
        blobs,
        journal,
        ledger: Arc::clone(&ledger) as Arc<dyn LedgerEngine>,
        machine,
        clock,
        starts: u32::try_from(folder.start().count()).unwrap_or(u32::MAX),
        limits,
        config: opensky_node::Config {
            region: settings.region,
            kinds: settings.kinds.clone(),
            validate: settings.validate,
            ..opensky_node::Config::default()
        },
    };
    let (handle, node) = Node::start(parts).await?;
    let inspector = Inspector {
        handle: handle.clone(),
        executors: Arc::clone(&executors),
        network,
        loopback_only: settings.loopback_only,
        mdns: settings.mdns,
    };
    let (server, stop_server) = serve(config, &settings, &name, &folder, &handle, inspector).await?;
    Ok(Running { handle, node, server, stop_server, executors, ledger, folder })
}

impl Running {
    /// Waits until the node ends or `interrupted` does; then ends everything in order.
    pub async fn until(mut self, interrupted: impl Future<Output = ()>) -> Result<End> {
        let ended = tokio::select! {
            end = &mut self.node => Some(end),
            () = interrupted => None,
        };
        self.handle.shut_down().await;
        let end = match ended {
            Some(end) => end,
            None => self.node.await,
        };
        self.stop_server.cancel();
        match tokio::time::timeout(REQUESTS_END_MAX, &mut self.server).await {
            Ok(ended) => ended.context("the API's task failed")?.context("the API ended with an error")?,
            Err(_) => {
                tracing::warn!("requests that were still open are cut off");
                self.server.abort();
            }
        }
        self.executors.shut_down().await;
        self.ledger.shut_down().await;
        RunningNode::clear(self.folder.layout())?;
        end.context("the node failed; its log says more")
    }
}

/// The sky's ledger. A node that may vote listens for other validators too.
async fn ledger(
    layout: &Layout,
    settings: &Settings,
    key: &Keypair,
    genesis: &Genesis,
    journal: &dyn Journal,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<SkyLedger>> {
    let may_vote = settings.validate || genesis.validators.contains(&key.id());
    let voting = if may_vote { Some(voting(layout, settings, key, journal)?) } else { None };
    let (folder, genesis) = (layout.root().to_owned(), genesis.clone());
    let (node, clock) = (key.id(), Arc::clone(clock));
    let open = move || {
        let settings = opensky_chain::Settings {
            genesis: &genesis,
            node,
            folder: &folder,
            voting,
            clock,
            snapshot_blocks: opensky_chain::SNAPSHOT_BLOCKS,
        };
        SkyLedger::open(settings)
    };
    Ok(Arc::new(tokio::task::spawn_blocking(open).await??))
}

fn voting(layout: &Layout, settings: &Settings, key: &Keypair, journal: &dyn Journal) -> Result<Voting> {
    let port = match settings.validator_listen_port {
        0 => crate::port::remembered(journal, crate::port::VALIDATOR)?,
        port => port,
    };
    let host = if settings.loopback_only { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    let dialable = settings.validator_address.clone().unwrap_or_else(|| match settings.loopback_only {
        true => SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string(),
        false => SocketAddr::from((own_address(), port)).to_string(),
    });
    Ok(Voting {
        key: key.clone(),
        listen: (host, port).into(),
        dialable,
        folder: layout.root().join("validator"),
        mark: layout.identity().join("voted"),
    })
}

/// The address of the interface that leads out of this machine; the machine itself if none does.
fn own_address() -> IpAddr {
    let mut interfaces = opensky_machine::interfaces();
    interfaces.sort_by_key(|interface| interface.kind != opensky_machine::InterfaceKind::Network);
    let addresses = interfaces.into_iter().flat_map(|interface| interface.addresses);
    addresses.into_iter().find(|address| !address.is_loopback()).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// The node's log file.
pub fn log_file(layout: &Layout) -> std::path::PathBuf {
    layout.logs().join("node.log")
}

fn open_key(layout: &Layout, args: &KeyArgs) -> Result<Keypair> {
    let path = layout.key();
    if !path.exists() {
        let key = opensky_identity::generate();
        KeyFile::create(&path, &key, protection(&args.new_key()?))?;
        return Ok(key);
    }
    let file = KeyFile::load(&path)?;
    let passphrase = if file.is_encrypted() { Some(args.existing()?) } else { None };
    Ok(file.unlock(passphrase.as_ref())?)
}

fn network_config(settings: &Settings) -> NetworkConfig {
    NetworkConfig {
        listen_port: settings.listen_port,
        loopback_only: settings.loopback_only,
        protocols: opensky_protocol::PROTOCOLS.to_vec(),
        topics: opensky_protocol::TOPICS.to_vec(),
        bootstrap: settings.bootstrap.clone(),
        mdns: settings.mdns && !settings.loopback_only,
        relays: Relays {
            serve: settings.relay_serve,
            through: settings.relay_through.clone(),
            ..Relays::default()
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..NetworkConfig::default()
    }
}

/// Half the machine, until its owner says otherwise.
fn limits(machine: &LocalMachine) -> ContributionLimits {
    let profile = machine.profile();
    let default = ContributionLimits::default();
    ContributionLimits {
        memory_bytes: default.memory_bytes.min(profile.memory_bytes / 2),
        disk_bytes: default.disk_bytes.min(profile.disk_free_bytes / 2),
        ..default
    }
}

async fn executors(
    layout: &Layout,
    settings: &Settings,
    machine: &LocalMachine,
    blobs: &Arc<dyn BlobStore>,
    key: &Keypair,
) -> Result<Executors> {
    let wasm = Arc::new(wasm_executor(layout, machine, blobs)?);
    if !settings.containers {
        return Ok(Executors { wasm, container: None });
    }
    let config = opensky_executor_container::Config {
        sockets: settings.container_sockets.clone(),
        runtime: settings.container_runtime.clone(),
        registries: settings.container_registries.clone(),
        gpus: machine.gpu_devices().to_vec(),
        look_every: CONTAINERS_LOOK_EVERY,
        slots: usize::from(machine.profile().cpu_cores.max(1)),
        scratch_dir: layout.root().join("containers"),
        volumes_dir: layout.root().join("volumes"),
        images_cap_bytes: settings.images_cap_bytes,
        owner: key.id().short(),
    };
    let container = ContainerExecutor::start(config, Arc::clone(blobs)).await;
    if let Err(error) = &container {
        tracing::error!(
            error = opensky_types::text::causes(error),
            "no images are run: their folders cannot be made"
        );
    }
    Ok(Executors { wasm, container: container.ok() })
}

fn wasm_executor(
    layout: &Layout,
    machine: &LocalMachine,
    blobs: &Arc<dyn BlobStore>,
) -> Result<WasmExecutor> {
    let profile = machine.profile();
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let config = opensky_executor_wasm::Config {
        worker_command: (program, vec!["worker".into()]),
        workers: usize::from(profile.cpu_cores.max(1)),
        cache_dir: layout.cache().join("wasm"),
        cache_cap_bytes: COMPILED_BYTES_MAX,
        scratch_dir: layout.scratch(),
        worker_memory_bytes_max: profile.memory_bytes.saturating_add(ENGINE_BYTES),
        request: RequestLimits::default(),
    };
    Ok(WasmExecutor::start(config, Arc::clone(blobs))?)
}

async fn serve(
    config: &Config,
    settings: &Settings,
    name: &str,
    folder: &DataFolder,
    handle: &Handle,
    inspector: Inspector,
) -> Result<(JoinHandle<std::io::Result<()>>, CancellationToken)> {
    let listener = TcpListener::bind(settings.api).await.map_err(|error| {
        Fail::new(Exit::Failed, format!("the API cannot listen on {}: {error}", settings.api))
            .next("choose another port with --api 127.0.0.1:PORT, or 0 for any free one")
    })?;
    let remote = crate::remote::open(settings, folder.layout()).await?;
    let api = listener.local_addr()?.to_string();
    let token = ApiToken::create(folder.layout())?;
    let surroundings = Surroundings {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: folder.layout().root().to_owned(),
        config: config.view(),
        log_file: log_file(folder.layout()),
        doctor: inspector.into_doctor(),
        rename: renaming(config, folder, handle),
    };
    let stop = CancellationToken::new();
    let token = Token::new(token.expose().to_owned());
    let server = tokio::spawn(opensky_gateway::serve(
        listener,
        remote,
        handle.clone(),
        token,
        surroundings,
        stop.clone(),
    ));
    RunningNode::publish(folder.layout(), api)?;
    Ok((server, stop))
}

/// Keeps the node's name in its configuration file.
fn renaming(config: &Config, folder: &DataFolder, handle: &Handle) -> Rename {
    let (config, data_dir) = (config.clone(), folder.layout().root().to_owned());
    let (unnamed, one_at_a_time) = (handle.node().short(), Mutex::new(()));
    Arc::new(move |name| {
        let _guard = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        config.rename(&data_dir, name).map_err(|error| format!("{error:#}"))?;
        Ok(if name.is_empty() { unnamed.clone() } else { name.to_owned() })
    })
}

/// The machine's clock and randomness.
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(since.as_millis() as u64)
    }

    fn monotonic_us(&self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }

    fn random(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness");
        bytes
    }
}

/// The sky's id as people see it.
pub fn sky_name(name: &str, sky: Hash) -> String {
    format!("{name} ({})", sky.short())
}
