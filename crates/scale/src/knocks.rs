//! The gate of a closed sky under attack: strangers who connect, knock with nothing and stay as long as they may,
//! while newcomers with an invite try to come in (`network/src/limits.rs`, `driver/connections.rs`).

use crate::{
    chance::Chance,
    queue::{Queue, SECOND, Time},
    report::{Cell, Table},
    run::{Progress, Trace},
    sizes,
};

/// Connections of strangers (`strangers_max`).
const PLACES: usize = 64;
/// Of those, from one address (`strangers_per_ip_max`).
const PLACES_PER_ADDRESS: usize = 16;
/// New ones from one address at once; then one a second (`strangers_per_ip_burst`).
const BURST: f64 = 64.0;
/// A stranger's connection ends after this: twice `knock_timeout_ms`.
const STAY: Time = 20 * SECOND;
/// An honest knock and its answer.
const KNOCK: Time = SECOND / 2;
/// How often an attacker's address tries.
const TRY_EVERY: Time = SECOND / 4;
/// Time between newcomers.
const NEWCOMER_EVERY: f64 = 5e6;
/// Virtual time of one row.
const SPAN: Time = 3_600 * SECOND;

enum Event {
    Try(usize),
    Leave(Option<usize>),
    Newcomer,
}

/// What an attack came to.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// Share of newcomers' tries that found a place.
    pub let_in: f64,
    /// Mean number of places that the attacker holds.
    pub taken: f64,
    /// Connections of the attacker a second.
    pub connections: f64,
}

/// `addresses` of an attacker against one node for an hour. Each connection has a new key, so no ban holds.
pub fn attack(addresses: usize, seed: u64, trace: &mut Trace) -> Held {
    let mut queue = Queue::default();
    let mut chance = Chance::new(seed, "knocks");
    let mut open = vec![0; addresses];
    let mut tokens = vec![(BURST, 0); addresses];
    let (mut guests, mut tries, mut welcome, mut connections, mut taken) = (0, 0_u64, 0_u64, 0_u64, 0.0);
    let mut before = 0;
    for address in 0..addresses {
        queue.after(chance.below(TRY_EVERY as usize) as Time, Event::Try(address));
    }
    queue.after(0, Event::Newcomer);
    while let Some(event) = queue.next(SPAN) {
        let total: usize = open.iter().sum();
        taken += total as f64 * (queue.now() - before) as f64;
        before = queue.now();
        match event {
            Event::Try(address) => {
                let (left, filled_at) = &mut tokens[address];
                *left = (*left + (queue.now() - *filled_at) as f64 / 1e6).min(BURST);
                *filled_at = queue.now();
                if total + guests < PLACES && open[address] < PLACES_PER_ADDRESS && *left >= 1.0 {
                    *left -= 1.0;
                    open[address] += 1;
                    connections += 1;
                    queue.after(STAY, Event::Leave(Some(address)));
                }
                queue.after(TRY_EVERY, Event::Try(address));
            }
            Event::Leave(Some(address)) => open[address] -= 1,
            Event::Leave(None) => guests -= 1,
            Event::Newcomer => {
                tries += 1;
                if total + guests < PLACES {
                    welcome += 1;
                    guests += 1;
                    queue.after(KNOCK, Event::Leave(None));
                }
                queue.after(chance.exponential(NEWCOMER_EVERY) as Time, Event::Newcomer);
            }
        }
    }
    trace.add((queue.count(), queue.digest()));
    Held {
        let_in: welcome as f64 / tries.max(1) as f64,
        taken: taken / SPAN as f64,
        connections: connections as f64 / (SPAN as f64 / 1e6),
    }
}

/// The gate over the number of addresses that attack it.
pub fn table(seed: u64, trace: &mut Trace, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "knocks",
        "a closed sky: strangers who are refused, at one node, and newcomers with an invite",
        &["attacking addresses", "places taken of 64", "connections/s", "bytes/s", "newcomers' tries let in"],
    );
    table.plot = Some((0, 4));
    progress("sybils: knocks");
    for addresses in [0, 1, 2, 3, 4, 8, 20, 100] {
        let held = attack(addresses, seed, trace);
        table.row([
            Cell::from(addresses),
            held.taken.into(),
            held.connections.into(),
            (held.connections * sizes::MEETING as f64).into(),
            held.let_in.into(),
        ]);
    }
    table.note("members are not touched: their connections do not count among the 64");
    table
}
