//! One node: the machine that survives its process, and the process while it runs.

use crate::{chance::source, clock::NodeClock, plan::NodePlan, worker};
use anyhow::{Context, Result};
use opensky_chain::{SkyLedger, simulated};
use opensky_node::{Config, End, Handle, Parts};
use opensky_ports::testing::{FakeMachine, MemoryBlobs, MemoryNetwork};
use opensky_storage::{RedbJournal, SimulatedDisk};
use opensky_types::{
    Keypair, NodeId, Signed,
    limits::ContributionLimits,
    membership::{Genesis, Membership, MembershipChain},
    resources::{HardwareProfile, Readings},
};
use rand::{RngExt, rngs::StdRng};
use std::sync::Arc;
use tokio::{sync::Notify, task::JoinHandle};

/// What is kept when a process ends.
pub struct Machine {
    pub key: Keypair,
    pub plan: NodePlan,
    pub clock: Arc<NodeClock>,
    pub journal: SimulatedDisk,
    pub ledger: SimulatedDisk,
    blobs: Arc<MemoryBlobs>,
    /// Starts of its data folder, and of the machine.
    starts: u32,
    lives: u32,
    pub life: Option<Life>,
    /// It never comes back.
    pub has_left: bool,
    /// A bit of its ledger's file is not what was written.
    pub is_rotten: bool,
    /// How long it stays down if it ends by itself, in milliseconds.
    pub down_ms: u64,
    /// Draws what of unsynced writes a power cut leaves.
    chance: StdRng,
}

/// A running process.
pub struct Life {
    pub handle: Handle,
    pub ledger: Arc<SkyLedger>,
    end: JoinHandle<End>,
    /// Which start of its machine it is.
    pub number: u32,
}

/// What all nodes of a sky have in common.
#[derive(Clone)]
pub struct Common {
    pub seed: u64,
    pub snapshot_blocks: u64,
    pub genesis: Genesis,
    pub founder: Keypair,
    pub network: MemoryNetwork,
    /// Told when there is something to put into a block.
    pub work: Arc<Notify>,
}

impl Common {
    /// What shows that a node belongs to the sky.
    pub fn chain_of(&self, node: NodeId) -> MembershipChain {
        if node == self.genesis.founder {
            return MembershipChain::default();
        }
        let membership = Membership { sky: self.genesis.sky(), node, given_at: self.genesis.founded_at };
        MembershipChain(vec![Signed::sign(&membership, &self.founder)])
    }
}

const BLOBS_BYTES: u64 = 1 << 30;

impl Machine {
    pub fn new(seed: u64, index: usize, key: Keypair, plan: NodePlan, clock: NodeClock) -> Self {
        Self {
            key,
            plan,
            clock: Arc::new(clock),
            journal: SimulatedDisk::default(),
            ledger: SimulatedDisk::default(),
            blobs: Arc::new(MemoryBlobs::new(BLOBS_BYTES)),
            starts: 0,
            lives: 0,
            life: None,
            has_left: false,
            is_rotten: false,
            down_ms: 1_000,
            chance: source(seed, &format!("machine {index}")),
        }
    }

    pub fn id(&self) -> NodeId {
        self.key.id()
    }

    /// Whether it never ran.
    pub const fn is_new(&self) -> bool {
        self.lives == 0
    }

    /// What the process starts with, on what the disks hold.
    pub fn parts(&mut self, common: &Common, validates: bool) -> Result<(Parts, Arc<SkyLedger>)> {
        self.starts += 1;
        self.lives += 1;
        let journal = RedbJournal::on(self.journal.clone()).context("opening the journal")?;
        let ledger = SkyLedger::simulated(simulated::Settings {
            genesis: &common.genesis,
            key: &self.key,
            validates,
            disk: self.ledger.clone(),
            clock: self.clock.clone(),
            snapshot_blocks: common.snapshot_blocks,
        });
        let ledger = Arc::new(ledger.context("opening the ledger")?);
        if validates {
            ledger.set_voting(Some(Arc::clone(&common.work)));
        }
        let (transport, transport_events) = common.network.start(self.id());
        let executor = worker::executor(common.seed, self.id(), self.lives, self.plan.manner);
        let parts = Parts {
            key: self.key.clone(),
            genesis: common.genesis.clone(),
            chain: common.chain_of(self.id()),
            transport: Arc::new(transport),
            transport_events,
            executor: Arc::new(executor),
            services: None,
            blobs: Arc::new(self.blobs.restarted()),
            journal: Arc::new(journal),
            ledger: ledger.clone(),
            machine: Arc::new(hardware()),
            clock: self.clock.clone(),
            starts: self.starts,
            limits: ContributionLimits::default(),
            config: Config {
                offer_interval_ms: 5_000,
                // Low, so that who was away for a while takes a snapshot and not each block.
                blocks_behind_max: common.snapshot_blocks * 3,
                validate: validates,
                ..Config::default()
            },
        };
        Ok((parts, ledger))
    }

    /// The process runs.
    pub fn begin(&mut self, handle: Handle, end: JoinHandle<End>, ledger: Arc<SkyLedger>) {
        self.life = Some(Life { handle, ledger, end, number: self.lives });
    }

    /// Ends the process at once, wherever it is. `cut`: the power goes with it.
    pub fn kill(&mut self, cut: bool) {
        let Some(life) = self.life.take() else { return };
        life.end.abort();
        life.ledger.set_voting(None);
        self.let_go(cut);
    }

    /// Ends what has the disks open.
    fn let_go(&mut self, cut: bool) {
        for disk in [&self.journal, &self.ledger] {
            if cut {
                disk.crash(|below| self.chance.random_range(0..below));
            } else {
                disk.kill();
            }
        }
    }

    /// What happens to the disks where one of them has died; whether one has.
    pub fn lose_power(&mut self) -> bool {
        let has_died = self.journal.is_dead() || self.ledger.is_dead();
        if has_died {
            self.let_go(true);
        }
        has_died
    }

    /// Whether no file can be opened for writing at present.
    pub fn has_bad_disks(&self) -> bool {
        self.journal.has_fault() || self.ledger.has_fault()
    }

    /// The disks are lost; blobs lie on them too.
    pub fn lose_disks(&mut self) {
        self.starts = 0;
        self.journal.wipe();
        self.ledger.wipe();
        self.blobs = Arc::new(MemoryBlobs::new(BLOBS_BYTES));
    }

    /// Whether the process is to be ended because a disk died under it.
    pub fn is_stricken(&self) -> bool {
        self.life.is_some() && (self.journal.is_dead() || self.ledger.is_dead())
    }

    /// Whether the process ended by itself.
    pub fn has_ended(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.end.is_finished())
    }
}

fn hardware() -> FakeMachine {
    let profile = HardwareProfile {
        cpu_model: "simulated".into(),
        cpu_arch: "x86_64".into(),
        cpu_cores: 4,
        memory_bytes: 16 << 30,
        disk_free_bytes: 100 << 30,
        score_per_core: 1_000,
        ..HardwareProfile::default()
    };
    let readings =
        Readings { memory_available_bytes: 12 << 30, disk_free_bytes: 100 << 30, ..Readings::default() };
    FakeMachine::new(profile, readings)
}
