//! One node of real parts, composed as the program `opensky` does it, but for the API and the key file.

use anyhow::{Context, Result};
use opensky_chain::{SkyLedger, Voting};
use opensky_executor_wasm::WasmExecutor;
use opensky_machine::LocalMachine;
use opensky_network::Network;
use opensky_node::{End, Handle, Node, Parts, member_knock};
use opensky_ports::{BlobStore, Clock, Executor, LedgerEngine, Machine, Transport};
use opensky_storage::{FileBlobs, RedbJournal};
use opensky_types::{
    Keypair, Micros, Timestamp,
    limits::ContributionLimits,
    membership::{EPOCH_BLOCKS, Genesis, InvitePolicy, MembershipChain},
};
use rand::{TryRng, rngs::SysRng};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{io::AsyncReadExt, task::JoinHandle};

/// Who a node is and what it shares.
#[derive(Debug, Clone, clap::Args)]
pub struct Role {
    /// Which node; number 1 founds the sky.
    #[arg(long)]
    pub number: u8,
    /// Tells skies of the same machine apart.
    #[arg(long)]
    pub nonce: u64,
    /// Tasks at a time; 0 shares nothing.
    #[arg(long)]
    pub slots: u16,
    /// Where to enter the sky.
    #[arg(long)]
    pub bootstrap: Option<String>,
    /// Its data folder.
    #[arg(long)]
    pub folder: PathBuf,
}

/// A running node.
pub struct Running {
    pub handle: Handle,
    network: Arc<Network>,
    executor: Arc<WasmExecutor>,
    ledger: Arc<SkyLedger>,
    end: JoinHandle<End>,
}

impl Running {
    /// Where others enter the sky.
    pub async fn entrance(&self) -> Result<String> {
        let listening = self.network.view().await.listening;
        let quic =
            listening.iter().find(|address| address.starts_with("/ip4/") && address.contains("quic-v1"));
        Ok(format!("{}/p2p/{}", quic.context("the node does not listen on QUIC")?, self.handle.node()))
    }

    /// Ends it in order.
    pub async fn stop(self) -> Result<()> {
        self.handle.shut_down().await;
        self.end.await.context("the node failed")?;
        self.executor.shut_down().await;
        self.ledger.shut_down().await;
        Ok(())
    }
}

/// The key of a node; of no worth outside of a measurement.
pub fn key(number: u8) -> Keypair {
    Keypair::from_seed([number; 32])
}

/// Starts a node.
pub async fn start(role: &Role) -> Result<Running> {
    let key = key(role.number);
    let (genesis, chain) = membership(role);
    let journal = Arc::new(RedbJournal::open(&role.folder)?);
    let blobs: Arc<dyn BlobStore> = Arc::new(FileBlobs::open(&role.folder.join("blobs"), 16 << 30)?);
    let machine = Arc::new(LocalMachine::open(&role.folder));
    let (network, transport_events) = Network::start(network_config(role, &genesis, &chain), &key)?;
    let network = Arc::new(network);
    let executor = Arc::new(executor(&role.folder, machine.as_ref(), &blobs)?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock(Instant::now()));
    let ledger = Arc::new(ledger(role, &genesis, &key, &clock)?);
    let limits = limits(role.slots, machine.profile().cpu_cores);
    let parts = Parts {
        key,
        genesis,
        chain,
        transport: Arc::clone(&network) as Arc<dyn Transport>,
        transport_events,
        executor: Arc::clone(&executor) as Arc<dyn Executor>,
        services: None,
        blobs,
        journal,
        ledger: Arc::clone(&ledger) as Arc<dyn LedgerEngine>,
        machine,
        clock,
        starts: 1,
        limits,
        config: opensky_node::Config::default(),
    };
    let (handle, end) = Node::start(parts).await?;
    Ok(Running { handle, network, executor, ledger, end })
}

/// The ledger as a node of a small sky has it: the founder votes, the others follow.
fn ledger(role: &Role, genesis: &Genesis, key: &Keypair, clock: &Arc<dyn Clock>) -> Result<SkyLedger> {
    let voting = match role.number {
        1 => {
            let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
            Some(Voting {
                key: key.clone(),
                listen,
                dialable: listen.to_string(),
                folder: role.folder.join("validator"),
                mark: role.folder.join("voted"),
            })
        }
        _ => None,
    };
    let (node, clock) = (key.id(), Arc::clone(clock));
    let settings = opensky_chain::Settings {
        genesis,
        node,
        folder: &role.folder,
        voting,
        clock,
        snapshot_blocks: opensky_chain::SNAPSHOT_BLOCKS,
    };
    Ok(SkyLedger::open(settings)?)
}

/// A file in a provider's folder that says where it listens.
pub const LISTENING: &str = "listening";

/// Runs a provider until standard input ends, as it does when the measuring process does.
pub async fn provide(role: Role) -> Result<()> {
    let running = start(&role).await?;
    let listening = running.network.view().await.listening.join("\n");
    std::fs::write(role.folder.join(LISTENING), listening)?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    running.stop().await
}

fn membership(role: &Role) -> (Genesis, MembershipChain) {
    let founder = key(1);
    let genesis = Genesis {
        name: "bench".into(),
        founder: founder.id(),
        founded_at: Timestamp::default(),
        invites: InvitePolicy::Members,
        economy_free: true,
        supply: Micros::ZERO,
        validators: vec![founder.id()],
        epoch_blocks: EPOCH_BLOCKS,
        nonce: role.nonce,
    };
    let none = MembershipChain::default();
    let chain = match role.number {
        1 => none,
        number => none.extend(&founder, &genesis, key(number).id(), Timestamp::default()),
    };
    (genesis, chain)
}

fn network_config(role: &Role, genesis: &Genesis, chain: &MembershipChain) -> opensky_network::Config {
    opensky_network::Config {
        sky: genesis.sky(),
        loopback_only: true,
        protocols: opensky_protocol::PROTOCOLS.to_vec(),
        topics: opensky_protocol::TOPICS.to_vec(),
        knock_body: member_knock(genesis, chain),
        bootstrap: role.bootstrap.iter().cloned().collect(),
        ..opensky_network::Config::default()
    }
}

fn executor(folder: &Path, machine: &LocalMachine, blobs: &Arc<dyn BlobStore>) -> Result<WasmExecutor> {
    let profile = machine.profile();
    let config = opensky_executor_wasm::Config {
        worker_command: (std::env::current_exe()?, vec!["worker".into()]),
        workers: usize::from(profile.cpu_cores.max(1)),
        cache_dir: folder.join("cache"),
        cache_cap_bytes: 1 << 30,
        scratch_dir: folder.join("scratch"),
        worker_memory_bytes_max: profile.memory_bytes,
        request: Default::default(),
    };
    Ok(WasmExecutor::start(config, Arc::clone(blobs))?)
}

/// Limits that come to this number of slots on a machine with so many cores.
fn limits(slots: u16, cores: u16) -> ContributionLimits {
    let percent = (u32::from(slots) * 100).div_ceil(u32::from(cores.max(1))).min(100);
    ContributionLimits { share: slots > 0, cpu_percent: percent as u8, ..ContributionLimits::default() }
}

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
