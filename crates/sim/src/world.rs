//! One run: a sky comes up, the plan happens to it, everything has to come right in the end.

mod deeds;
mod ending;

use crate::{
    chance::{own_this_thread, source},
    clock::{BEGIN_MS, NodeClock},
    machine::{Common, Life, Machine},
    ordering::Ordering,
    plan::{Deed, Plan},
    trace::Trace,
    watch::{Report, Watch},
    weather,
};
use anyhow::{Context, Result};
use opensky_chain::simulated;
use opensky_consensus::model::Order;
use opensky_node::{Node, member_knock};
use opensky_ports::testing::MemoryNetwork;
use opensky_protocol::PROTOCOLS;
use opensky_types::{
    Keypair, Micros, NodeId, Timestamp,
    membership::{Genesis, InvitePolicy},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// All the money there is.
pub const SUPPLY: u64 = 1_000_000_000;
/// Pause between two looks at everything.
const LOOK_MS: u64 = 100;
/// How long others keep a dead node's connections.
const IDLE_MS: u64 = 10_000;

/// The machines of a sky, shared by what happens to them.
#[derive(Clone)]
pub struct Machines(Arc<Mutex<Vec<Machine>>>);

impl Machines {
    /// All of them. Never held while anything is waited for.
    pub fn lock(&self) -> MutexGuard<'_, Vec<Machine>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with a node that runs.
    pub fn with_life<T>(&self, node: NodeId, work: impl FnOnce(&Machine, &Life) -> T) -> Option<T> {
        let machines = self.lock();
        let machine = machines.iter().find(|machine| machine.id() == node)?;
        Some(work(machine, machine.life.as_ref()?))
    }
}

/// What is to happen later.
enum Act {
    /// What the plan says.
    Deed(Deed),
    /// A node starts.
    Start(usize),
    /// Others notice that a node is gone, if it still is.
    Bury(usize),
    /// Ways are open again.
    Open(Vec<(usize, usize)>),
    /// Connections that nothing went through for long are gone, if nothing does yet.
    Starve(Vec<(usize, usize)>),
    /// The network is as usual.
    Calm,
    /// A disk works again; its node is started anew, if it has to be.
    Mend { node: usize, restarts: bool },
    /// A clock is set right.
    SetClock { node: usize, millis: i64 },
}

/// The sky of one run.
pub struct World {
    plan: Plan,
    start: Instant,
    common: Common,
    machines: Machines,
    weather: Arc<weather::Sky>,
    order: Arc<Mutex<Order>>,
    liars: Arc<Mutex<Vec<usize>>>,
    watch: Watch,
    trace: Trace,
    /// By time, then by the order in which they were planned.
    acts: BTreeMap<(u64, u64), Act>,
    planned: u64,
}

/// Runs a plan from beginning to end, on a thread of its own whose chance is the seed's.
pub fn run(plan: Plan, is_loud: bool) -> Result<Report> {
    let run = move || {
        own_this_thread(plan.seed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .context("a runtime")?;
        let report = runtime.block_on(async { World::new(plan, is_loud)?.play().await });
        // Tasks of nodes that were killed are let go, not waited for.
        runtime.shutdown_background();
        report
    };
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(run)?;
    match thread.join() {
        Ok(report) => report,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
            anyhow::bail!("a panic: {words}")
        }
    }
}

impl World {
    fn new(plan: Plan, is_loud: bool) -> Result<Self> {
        let start = Instant::now();
        let trace = Trace::new(is_loud);
        let keys: Vec<Keypair> =
            (1..=plan.nodes.len()).map(|number| Keypair::from_seed([number as u8; 32])).collect();
        let ids: Vec<NodeId> = keys.iter().map(Keypair::id).collect();
        let mut validators = ids[..usize::from(plan.validators)].to_vec();
        validators.sort_unstable();
        let genesis = Genesis {
            name: "simulated".into(),
            founder: ids[0],
            founded_at: Timestamp::from_millis(BEGIN_MS - 1_000),
            invites: InvitePolicy::Members,
            economy_free: !plan.has_prices,
            supply: if plan.has_prices { Micros::new(SUPPLY) } else { Micros::ZERO },
            validators,
            epoch_blocks: plan.epoch_blocks,
            nonce: plan.seed,
        };
        let weather = weather::Sky::new(plan.seed, start, plan.climate, &ids, trace.clone());
        let weather = Arc::new(weather);
        let network = MemoryNetwork::new(&PROTOCOLS);
        network.set_weather(weather.clone());
        let machines = keys.iter().zip(&plan.nodes).enumerate().map(|(index, (key, node))| {
            let clock = NodeClock::new(start, plan.seed, index as u64, node.drift_ppm);
            Machine::new(plan.seed, index, key.clone(), node.clone(), clock)
        });
        let machines = Machines(Arc::new(Mutex::new(machines.collect())));
        let common = Common {
            seed: plan.seed,
            snapshot_blocks: plan.snapshot_blocks,
            founder: keys[0].clone(),
            genesis: genesis.clone(),
            network,
            work: Arc::new(Notify::new()),
        };
        let order = Arc::new(Mutex::new(simulated::order(&genesis)?));
        let watch = Watch::new(machines.clone(), Arc::clone(&order), trace.clone(), start);
        let liars = Arc::default();
        let mut world = Self {
            start,
            common,
            machines,
            weather,
            order,
            liars,
            watch,
            trace,
            acts: BTreeMap::new(),
            planned: 0,
            plan,
        };
        for index in 0..world.plan.nodes.len() {
            world.after(world.plan.nodes[index].comes_ms, Act::Start(index));
        }
        for step in std::mem::take(&mut world.plan.steps) {
            world.after(step.at_ms, Act::Deed(step.deed));
        }
        Ok(world)
    }

    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// Plans something for so many milliseconds from now.
    fn after(&mut self, millis: u64, act: Act) {
        self.planned += 1;
        self.acts.insert((self.now_ms() + millis, self.planned), act);
    }

    fn id(&self, index: usize) -> NodeId {
        self.machines.lock()[index].id()
    }

    async fn play(mut self) -> Result<Report> {
        let ordering = Ordering {
            order: Arc::clone(&self.order),
            machines: self.machines.clone(),
            weather: Arc::clone(&self.weather),
            work: Arc::clone(&self.common.work),
            trace: self.trace.clone(),
            chance: source(self.plan.seed, "ordering"),
            start: self.start,
            liars: Arc::clone(&self.liars),
            again: Vec::new(),
        };
        let ordering = tokio::spawn(ordering.run());
        self.pass(self.plan.busy_ms).await?;
        self.end_faults().await?;
        let quiet = self.come_right(&ordering).await;
        ordering.abort();
        quiet?;
        self.watch.report(&self.plan)
    }

    /// Lets virtual time pass until so many milliseconds after the start, with all that happens meanwhile.
    async fn pass(&mut self, until_ms: u64) -> Result<()> {
        while self.now_ms() < until_ms {
            let next = self.acts.first_key_value().map_or(until_ms, |((at, _), _)| *at);
            let at = next.min(until_ms).min(self.now_ms() + LOOK_MS);
            tokio::time::sleep_until(self.start + Duration::from_millis(at)).await;
            let now = self.now_ms();
            while let Some(act) = self.acts.first_entry().filter(|entry| entry.key().0 <= now) {
                let act = act.remove();
                self.act(act).await?;
            }
            self.tend();
            self.watch.look().await?;
        }
        Ok(())
    }

    /// Ends what a dead disk has ended, and starts again what ended by itself.
    fn tend(&mut self) {
        let mut again = Vec::new();
        for (index, machine) in self.machines.lock().iter_mut().enumerate() {
            if machine.is_stricken() || machine.has_ended() {
                again.push((index, machine.down_ms, machine.is_stricken()));
            }
        }
        for (index, down_ms, is_stricken) in again {
            self.end_life(index, is_stricken, Some(down_ms));
        }
    }

    /// Ends a process; its connections starve. Comes back after `down_ms`, if ever.
    fn end_life(&mut self, index: usize, cut: bool, down_ms: Option<u64>) {
        let ids: Vec<NodeId> = {
            let mut machines = self.machines.lock();
            if machines[index].life.is_none() {
                return;
            }
            machines[index].kill(cut);
            machines.iter().map(Machine::id).collect()
        };
        self.trace.step("ends", &[self.now_ms(), index as u64, u64::from(cut)]);
        for (other, id) in ids.iter().enumerate() {
            if other != index {
                self.weather.set_closed(ids[index], *id, true);
                self.weather.set_closed(*id, ids[index], true);
            }
        }
        self.after(IDLE_MS, Act::Bury(index));
        match down_ms {
            Some(down_ms) => self.after(down_ms, Act::Start(index)),
            None => self.machines.lock()[index].has_left = true,
        }
    }

    /// Starts a process, and lets it come upon the others.
    async fn start_life(&mut self, index: usize) -> Result<()> {
        let id = self.id(index);
        let is_first = {
            let machines = self.machines.lock();
            if machines[index].life.is_some() || machines[index].has_left {
                return Ok(());
            }
            machines[index].is_new()
        };
        self.common.network.kill(id);
        let votes = self.order.lock().unwrap_or_else(PoisonError::into_inner).voters().contains(id);
        let parts = self.machines.lock()[index].parts(&self.common, votes);
        let (parts, ledger) = match parts {
            Ok(parts) => parts,
            Err(error) => return self.cannot_start(index, &error),
        };
        self.trace.step("starts", &[self.now_ms(), index as u64]);
        let (handle, end) =
            Node::start(parts).await.context("a node does not start on a journal that opened")?;
        let others: Vec<NodeId> = {
            let mut machines = self.machines.lock();
            machines[index].begin(handle, end, ledger);
            machines.iter().map(Machine::id).filter(|other| *other != id).collect()
        };
        for other in &others {
            if !is_first {
                self.weather.set_closed(id, *other, false);
                self.weather.set_closed(*other, id, false);
            }
            self.introduce(index, *other);
        }
        self.watch.started(index);
        Ok(())
    }

    /// A disk whose file is damaged is put aside, as its owner would after reading the error; one that is full or fails is
    /// tried again.
    fn cannot_start(&mut self, index: usize, error: &anyhow::Error) -> Result<()> {
        if self.machines.lock()[index].has_bad_disks() {
            self.watch.count("starts that a full or failing disk refused", 1);
            self.after(1_000, Act::Start(index));
            return Ok(());
        }
        if self.machines.lock()[index].lose_power() {
            // The disk died while the files were opened.
            self.after(1_000, Act::Start(index));
            return Ok(());
        }
        let was_rotten = std::mem::take(&mut self.machines.lock()[index].is_rotten);
        anyhow::ensure!(was_rotten, "node {index} does not start: {error:#}");
        self.machines.lock()[index].ledger.wipe();
        self.watch.count("damaged ledgers found and fetched anew", 1);
        self.after(1_000, Act::Start(index));
        Ok(())
    }

    /// Lets a node look for another one until they are connected, as it does by addresses it has kept.
    fn introduce(&self, index: usize, other: NodeId) {
        let (machines, network, weather) =
            (self.machines.clone(), self.common.network.clone(), Arc::clone(&self.weather));
        let own = self.id(index);
        let knock = member_knock(&self.common.genesis, &self.common.chain_of(own));
        let number = self.machines.with_life(own, |_, life| life.number);
        tokio::spawn(async move {
            while machines.with_life(own, |_, life| life.number) == number {
                let is_there = machines.with_life(other, |_, _| ()).is_some() && weather.is_open(own, other);
                if is_there && !network.are_linked(own, other) {
                    // Who does not answer is tried again.
                    let _ = network.discover(own, other, knock.clone()).await;
                }
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
    }
}
