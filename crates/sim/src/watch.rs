//! What must hold, looked at all the time, and what must have come about in the end.

mod jobs;

use crate::{
    plan::{Deed, Plan},
    trace::Trace,
    world::Machines,
};
use anyhow::{Result, ensure};
use opensky_consensus::model::Order;
use opensky_ledger::{entry::Entry, key::Key};
use opensky_ports::{
    LedgerEngine,
    ledger::{Head, Whereabouts},
};
use opensky_types::{Hash, JobId, job::JobSpec};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// How far behind a node may be while nothing happens.
const QUIET_BLOCKS_MAX: u64 = 40;

/// What came of a run that went right.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The hash of all that happened.
    pub hash: String,
    /// Steps that it covers.
    pub steps: u64,
    /// Virtual time that passed, in milliseconds.
    pub virtual_ms: u64,
    /// What happened how often: what a run does not count, it did not try.
    pub counts: BTreeMap<String, u64>,
}

/// What has not come right yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsettled {
    /// A node is down.
    Down(usize),
    /// A node is behind another one.
    Behind(usize, u64, u64),
    /// A job has not ended.
    Job(usize, JobId),
    /// Escrows are open.
    Escrows(usize),
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(node) => write!(f, "node {node} is down"),
            Self::Behind(node, own, best) => write!(f, "node {node} is at block {own}, others at {best}"),
            Self::Job(node, job) => write!(f, "job {job} of node {node} has not ended"),
            Self::Escrows(count) => write!(f, "{count} escrows are open"),
        }
    }
}

/// A job that was acknowledged.
#[derive(Debug, Clone)]
struct Taken {
    node: usize,
    job: JobId,
    spec: JobSpec,
    /// In which life of the node.
    life: u32,
}

/// What users were told.
#[derive(Default)]
struct Told {
    jobs: Vec<Taken>,
    transfers: Vec<(Hash, u64)>,
    refusals: u64,
    counts: BTreeMap<String, u64>,
}

/// Takes down what users were told.
#[derive(Clone)]
pub struct Sent {
    told: Arc<Mutex<Told>>,
    machines: Machines,
}

impl Sent {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job was taken.
    pub fn job(&self, node: usize, job: JobId, spec: JobSpec) {
        let life = self.machines.lock()[node].life.as_ref().map_or(0, |life| life.number);
        let mut told = self.lock();
        told.jobs.push(Taken { node, job, spec, life });
        *told.counts.entry("jobs taken".to_owned()).or_default() += 1;
    }

    /// A job was refused.
    pub fn refused(&self, why: &str) {
        tracing::debug!(why, "a job was refused");
        self.lock().refusals += 1;
    }

    /// A transfer was waited for.
    pub fn transfer(&self, id: Hash, found: Whereabouts) {
        if let Whereabouts::Final { height, .. } = found {
            self.lock().transfers.push((id, height));
        }
    }
}

/// Watches one sky.
pub struct Watch {
    machines: Machines,
    order: Arc<Mutex<Order>>,
    trace: Trace,
    start: Instant,
    sent: Sent,
    /// The one block and state at each height that any node was seen at.
    heads: BTreeMap<u64, (Hash, Hash)>,
    /// The newest height at which money was counted.
    counted: u64,
    last: BTreeMap<usize, u64>,
}

impl Watch {
    pub fn new(machines: Machines, order: Arc<Mutex<Order>>, trace: Trace, start: Instant) -> Self {
        let sent = Sent { told: Arc::default(), machines: machines.clone() };
        Self {
            machines,
            order,
            trace,
            start,
            sent,
            heads: BTreeMap::new(),
            counted: 0,
            last: BTreeMap::new(),
        }
    }

    /// To take down what users are told.
    pub fn sent(&self) -> Sent {
        self.sent.clone()
    }

    /// The job that a node's user submitted so many jobs ago.
    pub fn job_of(&self, node: usize, back: usize) -> Option<JobId> {
        let told = self.sent.lock();
        told.jobs.iter().rev().filter(|taken| taken.node == node).nth(back).map(|taken| taken.job)
    }

    /// Counts something that the report is to show.
    pub fn count(&self, what: &str, more: u64) {
        *self.sent.lock().counts.entry(what.to_owned()).or_default() += more;
    }

    /// A deed of the plan happens.
    pub fn happens(&self, deed: &Deed) {
        let name = format!("{deed:?}");
        let name = name.split([' ', '{']).next().unwrap_or_default();
        self.count(&format!("deed {name}"), 1);
    }

    /// A node started.
    pub fn started(&mut self, node: usize) {
        self.last.remove(&node);
        self.count("starts", 1);
    }

    /// What a node's disk held is no longer to be expected of it.
    pub fn disk_lost(&self, node: usize) {
        self.sent.lock().jobs.retain(|taken| taken.node != node);
    }

    fn heads_now(&self) -> Vec<(usize, Head)> {
        let machines = self.machines.lock();
        let living = machines
            .iter()
            .enumerate()
            .filter_map(|(index, machine)| Some((index, machine.life.as_ref()?.ledger.head())));
        living.collect()
    }

    /// Looks at every node: one chain, no way back, no money made or lost.
    pub async fn look(&mut self) -> Result<()> {
        for (node, head) in self.heads_now() {
            let known = *self.heads.entry(head.height).or_insert((head.block, head.state));
            ensure!(
                known == (head.block, head.state),
                "a fork at height {}: node {node} has another block or state",
                head.height
            );
            let before = self.last.insert(node, head.height).unwrap_or(0);
            ensure!(head.height >= before, "node {node} went back from block {before} to {}", head.height);
            if head.height != before {
                self.trace.step("head", &[self.passed_ms(), node as u64, head.height]);
            }
            if head.height > self.counted {
                self.counted = head.height;
                let machines = self.machines.lock();
                if let Some(life) = &machines[node].life {
                    life.ledger.check().map_err(|error| {
                        anyhow::anyhow!("the state at height {} is not sound: {error}", head.height)
                    })?;
                }
            }
        }
        Ok(())
    }

    fn passed_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// What has not come right yet; none: all has. Holds what was promised against what is.
    pub async fn unsettled(&mut self) -> Result<Option<Unsettled>> {
        let staying: Vec<(usize, bool)> = {
            let machines = self.machines.lock();
            let staying = machines.iter().enumerate().filter(|(_, machine)| !machine.has_left);
            staying.map(|(index, machine)| (index, machine.life.is_some())).collect()
        };
        if let Some((down, _)) = staying.iter().find(|(_, lives)| !lives) {
            return Ok(Some(Unsettled::Down(*down)));
        }
        if let Some(unsettled) = self.unsettled_job().await? {
            return Ok(Some(unsettled));
        }
        let heads = self.heads_now();
        let best = heads.iter().map(|(_, head)| head.height).max().unwrap_or(0);
        // Of blocks in which nothing happens one in twelve is told of, and that one may be lost.
        if let Some((node, head)) = heads.iter().find(|(_, head)| head.height + QUIET_BLOCKS_MAX < best) {
            return Ok(Some(Unsettled::Behind(*node, head.height, best)));
        }
        let open = self.open_escrows();
        Ok((open > 0).then_some(Unsettled::Escrows(open)))
    }

    fn open_escrows(&self) -> usize {
        let machines = self.machines.lock();
        let best = machines
            .iter()
            .filter_map(|machine| machine.life.as_ref())
            .max_by_key(|life| life.ledger.head().height);
        best.map_or(0, |life| life.ledger.count(|key, _: &Entry| matches!(key, Key::Escrow(_))))
    }

    /// What came of the run.
    pub fn report(self, plan: &Plan) -> Result<Report> {
        self.check_transfers()?;
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = order.finals_above(0).len() as u64;
        drop(order);
        let (hash, steps) = self.trace.hash();
        let mut told = self.sent.lock();
        let (transfers, refusals) = (told.transfers.len(), told.refusals);
        let mut counts = std::mem::take(&mut told.counts);
        drop(told);
        for (what, count) in [
            ("blocks", blocks),
            ("jobs refused", refusals),
            ("transfers final", transfers as u64),
            ("nodes", plan.nodes.len() as u64),
        ] {
            counts.insert(what.to_owned(), count);
        }
        let virtual_ms = self.passed_ms();
        Ok(Report { hash, steps, virtual_ms, counts })
    }

    /// What a user was told is final is in the chain, at the height that it was told.
    fn check_transfers(&self) -> Result<()> {
        let told = self.sent.lock().transfers.clone();
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = BTreeSet::new();
        for (block, _) in order.finals_above(0) {
            let height = block.header().height;
            for id in opensky_chain::simulated::transactions(block)? {
                ensure!(found.insert((id, height)), "transaction {id} is twice in block {height}");
            }
        }
        let mut ids = BTreeSet::new();
        for (id, _) in &found {
            ensure!(ids.insert(*id), "transaction {id} is in two blocks");
        }
        for (id, height) in told {
            ensure!(found.contains(&(id, height)), "transfer {id} was final at {height} and is not there");
        }
        Ok(())
    }
}
