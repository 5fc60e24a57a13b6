//! Settlement: jobs become agreements, agreements become transactions, transactions become blocks that all follow.

use crate::{
    chance::Chance,
    gossip::spread::Course,
    params::NEWS_BYTES_MAX,
    queue::{Queue, SECOND, Time},
    report::{Cell, Table},
    run::{Progress, Trace},
    sizes::{self, Settlement},
};
use opensky_ledger::params::Params;
use std::collections::BTreeMap;

/// Claims of one provider that end within this go together (`ledger/src/tab/payee.rs`, `GATHER_MS`).
const GATHER: Time = 2 * SECOND;
/// While work goes on a provider claims this often (`CLAIM_EVERY_MS`).
const CLAIM_EVERY: Time = 600 * SECOND;
/// Time between blocks while there are transactions: validators around the world need some round trips.
const BLOCK_EVERY: Time = SECOND / 2;
/// Mean time that a job's work takes.
const WORK_S: f64 = 300.0;
/// Virtual time of one row.
const SPAN: Time = 1_200 * SECOND;
/// From then on it is counted: by now as many jobs end as begin.
const FROM: Time = 600 * SECOND;
/// Longest body of a block (`chain/src/founding.rs`, `BODY_BYTES_MAX`).
const BODY_BYTES_MAX: u64 = 1 << 20;
/// Validators of a large sky.
const VALIDATORS: u64 = 64;
/// The ledger's rate as measured (`docs/benchmarks.md`), transfers a second on two cores for four validators.
const MEASURED_RATE: f64 = 10_400.0;

enum Event {
    Job,
    Claim { provider: u32, agreement: u64, ends: Time },
    Gathered(u32),
    Block,
}

/// Counts of what happened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settled {
    /// Jobs.
    pub jobs: u64,
    /// Agreements.
    pub agreements: u64,
    /// Transactions in blocks.
    pub transactions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// Transactions that still wait.
    pub waiting: u64,
    /// What checking the signatures in blocks costs, in those of one ed25519 key.
    pub signatures: u64,
}

struct World {
    queue: Queue<Event>,
    chance: Chance,
    nodes: usize,
    between_jobs: f64,
    sizes: Settlement,
    /// Claims that a provider gathers, by provider.
    gathering: BTreeMap<u32, u64>,
    /// Transactions that wait: bytes and cost of signatures.
    waiting: std::collections::VecDeque<(u64, u64)>,
    params: Params,
    count: Settled,
}

/// Lets `nodes` begin `jobs_an_hour` each.
pub fn settle(nodes: usize, jobs_an_hour: f64, seed: u64, trace: &mut Trace) -> Settled {
    let mut world = World {
        queue: Queue::default(),
        chance: Chance::new(seed, "settlement"),
        nodes,
        between_jobs: 3_600e6 / (nodes as f64 * jobs_an_hour),
        sizes: sizes::settlement(),
        gathering: BTreeMap::new(),
        waiting: std::collections::VecDeque::new(),
        params: Params::default(),
        count: Settled::default(),
    };
    world.queue.after(0, Event::Job);
    world.queue.after(BLOCK_EVERY, Event::Block);
    while let Some(event) = world.queue.next(SPAN) {
        world.on_event(event);
    }
    trace.add((world.queue.count(), world.queue.digest()));
    world.count.waiting = world.waiting.len() as u64;
    world.count
}

impl World {
    fn is_counted(&self) -> bool {
        self.queue.now() >= FROM
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Job => {
                self.begin();
                let wait = self.chance.exponential(self.between_jobs) as Time;
                self.queue.after(wait, Event::Job);
            }
            Event::Claim { provider, agreement, ends } => self.on_claim(provider, agreement, ends),
            Event::Gathered(provider) => {
                let items = self.gathering.remove(&provider).unwrap_or(0);
                if items > 0 {
                    let bytes = self.sizes.claim + (items - 1) * self.sizes.claim_more;
                    // Its own signature, and that of each voucher.
                    self.waiting.push_back((bytes, 1 + items));
                }
            }
            Event::Block => {
                self.block();
                self.queue.after(BLOCK_EVERY, Event::Block);
            }
        }
    }

    /// A job: agreements with one to sixteen providers, an escrow for each.
    fn begin(&mut self) {
        let spread = self.chance.unit();
        let providers = if spread < 0.5 {
            1
        } else if spread < 0.9 {
            4
        } else {
            16
        };
        if self.is_counted() {
            self.count.jobs += 1;
            self.count.agreements += providers;
        }
        let ends = self.queue.now() + self.chance.exponential(WORK_S * 1e6) as Time;
        for agreement in 0..providers {
            self.waiting.push_back((self.sizes.open, 1));
            let provider = self.chance.below(self.nodes) as u32;
            let at = ends.min(self.queue.now() + CLAIM_EVERY);
            self.queue.at(at, Event::Claim { provider, agreement, ends });
        }
    }

    fn on_claim(&mut self, provider: u32, agreement: u64, ends: Time) {
        let items = self.gathering.entry(provider).or_default();
        *items += 1;
        if *items == 1 {
            self.queue.after(GATHER, Event::Gathered(provider));
        }
        if self.queue.now() < ends {
            let at = ends.min(self.queue.now() + CLAIM_EVERY);
            self.queue.at(at, Event::Claim { provider, agreement, ends });
        }
    }

    /// A block takes what waits, as far as its bounds allow.
    fn block(&mut self) {
        let (mut transactions, mut bytes, mut signatures) = (0, 0, 0);
        while let Some((size, cost)) = self.waiting.front().copied() {
            let is_full = transactions >= u64::from(self.params.transactions_max)
                || signatures + cost > u64::from(self.params.signatures_max)
                || bytes + size > BODY_BYTES_MAX;
            if is_full {
                break;
            }
            self.waiting.pop_front();
            (transactions, bytes, signatures) = (transactions + 1, bytes + size, signatures + cost);
        }
        if self.is_counted() && transactions > 0 {
            self.count.blocks += 1;
            self.count.transactions += transactions;
            self.count.bytes += bytes;
            self.count.signatures += signatures;
        }
    }
}

/// Load of the ledger and of its followers over the rate of jobs. `course` is how gossip spreads one message in a
/// sky of that size.
pub fn curve(
    nodes: usize,
    course: &Course,
    seed: u64,
    trace: &mut Trace,
    progress: &mut Progress<'_>,
) -> Table {
    let mut table = Table::new(
        "settlement",
        format!("{nodes} nodes whose jobs are paid: load of the ledger, and of every node that follows it"),
        &[
            "jobs/h a node",
            "jobs/s",
            "agreements/s",
            "transactions/s",
            "of the measured rate",
            "signatures/s",
            "waiting",
            "block kB",
            "blocks MB/day",
            "with gossip MB/day",
        ],
    );
    table.plot = Some((0, 3));
    let seconds = (SPAN - FROM) as f64 / 1e6;
    for rate in [0.01, 0.1, 1.0, 5.0] {
        progress(&format!("settlement: {nodes} nodes, {rate} jobs an hour each"));
        let settled = settle(nodes, rate, seed, trace);
        let transactions = settled.transactions as f64 / seconds;
        let frame = sizes::empty_block(VALIDATORS) as f64 * settled.blocks as f64 / seconds;
        let blocks = settled.bytes as f64 / seconds + frame;
        let per_block =
            (settled.bytes as f64 / settled.blocks.max(1) as f64) + sizes::empty_block(VALIDATORS) as f64;
        // Transactions are gossiped to all members; small blocks are too, large ones are asked for once.
        let size = settled.bytes as f64 / settled.transactions.max(1) as f64;
        let names = (course.told + course.asked) * (sizes::GOSSIP_CONTROL + sizes::MESSAGE_ID) as f64;
        let gossiped = transactions * (course.copies * sizes::gossiped(size as u64) as f64 + names);
        let news = if per_block <= NEWS_BYTES_MAX { blocks * course.copies } else { blocks };
        table.row([
            Cell::from(rate),
            (settled.jobs as f64 / seconds).into(),
            (settled.agreements as f64 / seconds).into(),
            transactions.into(),
            (transactions / MEASURED_RATE).into(),
            (settled.signatures as f64 / seconds).into(),
            settled.waiting.into(),
            (per_block / 1e3).into(),
            (blocks * 86_400.0 / 1e6).into(),
            ((gossiped + news) * 86_400.0 / 1e6).into(),
        ]);
    }
    let sizes = sizes::settlement();
    table.note(format!("sizes by the ledger's own encoding: an escrow {} bytes, a claim {}, each further agreement in it {}; vouchers ({} bytes) go from node to node", sizes.open, sizes.claim, sizes.claim_more, sizes.voucher));
    table.note("a job has 1, 4 or 16 providers (half, two fifths, a tenth of all) and works 5 minutes on average; a block each half second, 64 validators");
    table
}
