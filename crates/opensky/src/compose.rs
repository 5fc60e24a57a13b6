//! Boot order in plain sight: folder, key, journal, blobs, sky, network, executor, node, API.

use crate::{
    config::Config,
    fail::{Exit, Fail},
    founding::{self, Entry},
    passphrase::{KeyArgs, protection},
    settings::Settings,
};
use anyhow::{Context, Result};
use opensky_api::doctor::{Check, Standing};
use opensky_executor_wasm::WasmExecutor;
use opensky_gateway::{Surroundings, Token};
use opensky_identity::{ApiToken, DataFolder, KeyFile, Layout, RunningNode};
use opensky_machine::LocalMachine;
use opensky_network::{Config as NetworkConfig, KnownMember, Network, Relays};
use opensky_node::{End, Handle, Node, Parts, member_knock};
use opensky_ports::{BlobStore, Clock, Executor, Journal, Machine, Transport, transport::Path as PeerPath};
use opensky_storage::{FileBlobs, RedbJournal};
use opensky_types::{Hash, Keypair, Timestamp, limits::ContributionLimits};
use rand::{TryRng, rngs::SysRng};
use std::{
    path::Path,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Most disk for compiled programs, in bytes.
const COMPILED_BYTES_MAX: u64 = 2 << 30;
/// Room that a worker needs beside the memory of its task, in bytes.
const ENGINE_BYTES: u64 = 256 << 20;

/// A node with its API.
pub struct Running {
    handle: Handle,
    node: JoinHandle<End>,
    server: JoinHandle<std::io::Result<()>>,
    stop_server: CancellationToken,
    executor: Arc<WasmExecutor>,
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

/// Starts a node.
pub async fn start(config: &Config, start: Start<'_>) -> Result<Running> {
    let settings = config.settings()?;
    let folder =
        if start.moved { DataFolder::open_moved(start.data_dir) } else { DataFolder::open(start.data_dir) };
    let folder = folder?;
    let layout = folder.layout();
    crate::logging::start(&log_file(layout), &settings.log, start.verbose)?;
    let key = open_key(layout, start.key)?;
    let name = if settings.name.is_empty() { key.id().short() } else { settings.name.clone() };

    let clock: Arc<dyn Clock> = Arc::new(SystemClock(Instant::now()));
    let journal: Arc<dyn Journal> = Arc::new(RedbJournal::open(layout.journal_folder())?);
    let blobs: Arc<dyn BlobStore> = Arc::new(FileBlobs::open(&layout.blobs(), settings.blob_cap_bytes)?);
    let machine = Arc::new(LocalMachine::open(layout.root()));

    let mut network_config = network_config(&settings);
    if network_config.listen_port == 0 {
        network_config.listen_port = crate::port::remembered(journal.as_ref())?;
    }
    let (genesis, chain) =
        founding::enter(journal.as_ref(), clock.as_ref(), &key, &name, &start.entry, &network_config).await?;
    network_config.sky = genesis.sky();
    network_config.knock_body = member_knock(&genesis, &chain);
    for (node, _, addresses) in journal.members()? {
        network_config.members.push(KnownMember { node, addresses });
    }
    let (network, transport_events) = Network::start(network_config, &key)?;
    let transport: Arc<dyn Transport> = Arc::new(network);

    let limits = limits(machine.as_ref());
    let executor = Arc::new(executor(layout, machine.as_ref(), &blobs)?);
    if let Err(error) = crate::score::ensure(&machine, executor.as_ref(), blobs.as_ref()).await {
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
        executor: Arc::clone(&executor) as Arc<dyn Executor>,
        blobs,
        journal,
        machine,
        clock,
        starts: u32::try_from(folder.start().count()).unwrap_or(u32::MAX),
        limits,
        config: opensky_node::Config {
            region: settings.region,
            kinds: settings.kinds.clone(),
            ..opensky_node::Config::default()
        },
    };
    let (handle, node) = Node::start(parts).await?;
    let (server, stop_server) = serve(config, &settings, &name, &folder, &handle, &executor).await?;
    Ok(Running { handle, node, server, stop_server, executor, folder })
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
        self.server.await.context("the API's task failed")?.context("the API ended with an error")?;
        self.executor.shut_down().await;
        RunningNode::clear(self.folder.layout())?;
        end.context("the node failed; its log says more")
    }
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
        topics: vec![opensky_protocol::TOPIC_OFFERS],
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

fn executor(layout: &Layout, machine: &LocalMachine, blobs: &Arc<dyn BlobStore>) -> Result<WasmExecutor> {
    let profile = machine.profile();
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let config = opensky_executor_wasm::Config {
        worker_command: (program, vec!["worker".into()]),
        workers: usize::from(profile.cpu_cores.max(1)),
        cache_dir: layout.cache().join("wasm"),
        cache_cap_bytes: COMPILED_BYTES_MAX,
        scratch_dir: layout.scratch(),
        worker_memory_bytes_max: profile.memory_bytes.saturating_add(ENGINE_BYTES),
    };
    Ok(WasmExecutor::start(config, Arc::clone(blobs))?)
}

async fn serve(
    config: &Config,
    settings: &Settings,
    name: &str,
    folder: &DataFolder,
    handle: &Handle,
    executor: &Arc<WasmExecutor>,
) -> Result<(JoinHandle<std::io::Result<()>>, CancellationToken)> {
    let listener = TcpListener::bind(settings.api).await.map_err(|error| {
        Fail::new(Exit::Failed, format!("the API cannot listen on {}: {error}", settings.api))
            .next("choose another port with --api 127.0.0.1:PORT, or 0 for any free one")
    })?;
    let api = listener.local_addr()?.to_string();
    let token = ApiToken::create(folder.layout())?;
    let surroundings = Surroundings {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: folder.layout().root().to_owned(),
        config: config.view(),
        log_file: log_file(folder.layout()),
        doctor: doctor(handle, executor),
    };
    let stop = CancellationToken::new();
    let token = Token::new(token.expose().to_owned());
    let server =
        tokio::spawn(opensky_gateway::serve(listener, handle.clone(), token, surroundings, stop.clone()));
    RunningNode::publish(folder.layout(), api)?;
    Ok((server, stop))
}

/// The checks of what only this process can look at; called off the loop.
fn doctor(handle: &Handle, executor: &Arc<WasmExecutor>) -> Arc<dyn Fn() -> Vec<Check> + Send + Sync> {
    let (handle, executor) = (handle.clone(), Arc::clone(executor));
    let runtime = tokio::runtime::Handle::current();
    Arc::new(move || runtime.block_on(checks(&handle, &executor)))
}

async fn checks(handle: &Handle, executor: &WasmExecutor) -> Vec<Check> {
    let check = |name: &str, standing, found: String, next: Option<&str>| Check {
        name: name.into(),
        standing,
        found,
        next: next.map(str::to_owned),
    };
    let mut checks = Vec::new();
    match executor.sandbox_report().await {
        Ok(report) => checks.extend(report.layers.iter().map(|layer| {
            let standing = if layer.active { Standing::Ok } else { Standing::Warning };
            let next =
                (!layer.active).then_some("tasks still run in a process of their own, with WASM's own walls");
            check(&format!("sandbox: {}", layer.name), standing, layer.detail.clone(), next)
        })),
        Err(error) => {
            let next = "no task can run here; `opensky logs` says more";
            checks.push(check("sandbox", Standing::Broken, format!("no worker starts: {error}"), Some(next)));
        }
    }
    let (Ok(status), Ok(network)) = (handle.status().await, handle.network().await) else { return checks };
    let listening = if network.listening.is_empty() { Standing::Broken } else { Standing::Ok };
    checks.push(check("listening", listening, network.listening.join(", "), None));
    let relayed = network.peers.iter().filter(|peer| peer.path == PeerPath::Relayed).count();
    let peers = format!("{} connected, {relayed} through a relay", network.peers.len());
    let lonely = network.peers.is_empty().then_some("let another machine join: opensky invite");
    checks.push(check(
        "peers",
        if lonely.is_some() { Standing::Skipped } else { Standing::Ok },
        peers,
        lonely,
    ));
    checks.push(if status.sharing_note.is_empty() {
        check("sharing", Standing::Ok, format!("{} tasks at a time", status.slots_total), None)
    } else {
        check("sharing", Standing::Warning, status.sharing_note.clone(), Some("see `opensky limits show`"))
    });
    let (standing, next) = match network.reachability.as_str() {
        "public" => (Standing::Ok, None),
        "private" => (
            Standing::Warning,
            Some("others reach this node through relays; forward its port for a direct path"),
        ),
        _ => (Standing::Skipped, Some("known once other members have tried to reach this node")),
    };
    checks.push(check("reachability", standing, network.reachability.clone(), next));
    checks.push(match &status.disk_problem {
        None => check(
            "disk",
            Standing::Ok,
            format!("{} free", crate::output::size(status.hardware.disk_free_bytes)),
            None,
        ),
        Some(problem) => {
            check("disk", Standing::Broken, problem.clone(), Some("free some space, then restart the node"))
        }
    });
    let gpus: Vec<&str> = status.hardware.gpus.iter().map(|gpu| gpu.model.as_str()).collect();
    let gpus = if gpus.is_empty() { "none found".to_owned() } else { gpus.join(", ") };
    checks.push(check("gpu", Standing::Ok, gpus, None));
    let score = format!("{} million fuel a second on one core", status.hardware.score_per_core);
    checks.push(match status.hardware.score_per_core {
        0 => check("score", Standing::Skipped, "not measured yet".into(), None),
        _ => check("score", Standing::Ok, score, None),
    });
    checks
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
