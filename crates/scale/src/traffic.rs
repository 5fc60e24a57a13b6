//! What a node that does nothing sends: all that keeps a sky together, part by part.

use crate::{
    discovery::Upkeep,
    gossip::spread::Course,
    params::{
        ANNOUNCE_INTERVAL, BOOTSTRAP_INTERVAL, CHANGE_INTERVAL_MS, IDLE_CAP_BYTES_PER_S, K, KEYS_ADVERTISED,
        MEMBERS_IDLE_MAX, PING_INTERVAL, offer_interval_ms,
    },
    report::{Cell, Table},
    sizes,
};

/// What one size of sky showed elsewhere in the run.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Nodes.
    pub nodes: usize,
    /// Connections of a node.
    pub peers: f64,
    /// What the DHT costs.
    pub upkeep: Upkeep,
    /// How one offer spreads.
    pub course: Course,
}

/// Validators of the sky.
const VALIDATORS: u64 = 4;
/// An empty block is made this often while nothing happens (`consensus/src/config.rs`, `heartbeat`), in seconds.
const EMPTY_BLOCK_S: f64 = 5.0;
/// Of so many empty blocks one is told of by gossip (`node/src/ledger.rs`, `QUIET_BLOCKS`).
const QUIET_BLOCKS: f64 = 12.0;
/// The word of a block without its contents.
const BLOCK_WORD: u64 = 8 + 32 + 1;
/// Identification of one peer each half hour (`network/src/behaviour.rs`, `IDENTIFY_INTERVAL`), in bytes.
const IDENTIFY: f64 = 900.0;

/// Bytes that one node sends for one gossiped payload of so many bytes, over all of its way.
fn gossiped(course: &Course, payload: u64) -> f64 {
    let offer = sizes::gossiped(sizes::offer()) as f64;
    let control = (course.told + course.asked) * (sizes::GOSSIP_CONTROL + sizes::MESSAGE_ID) as f64;
    (course.bytes - control) * sizes::gossiped(payload) as f64 / offer + control
}

/// What offers cost where their terms change: a machine that is shared while nobody uses it, hours, limits, prices.
/// Each change is told of at once but for [`CHANGE_INTERVAL_MS`]; free slots alone wait for the next offer
/// (`provider/src/provider.rs`, `announce`).
pub fn busy(skies: &[Seen]) -> Table {
    let mut table = Table::new(
        "busy",
        "what a node sends for offers whose terms change, and how old free slots get where they do not",
        &["nodes", "changes/day a node", "offers/s", "kB/s a node", "slots are old, s"],
    );
    for seen in skies {
        for changes_a_day in [1.0, 10.0, 100.0] {
            let most = 86_400e3 / CHANGE_INTERVAL_MS as f64;
            let offers = seen.nodes as f64 * f64::min(changes_a_day, most) / 86_400.0;
            table.row([
                Cell::from(seen.nodes),
                changes_a_day.into(),
                offers.into(),
                (offers * gossiped(&seen.course, sizes::offer()) / 1e3).into(),
                (offer_interval_ms(seen.nodes as u64) as f64 / 1e3).into(),
            ]);
        }
    }
    table.note("the pace of the sky holds for offers in which nothing changed only");
    table
}

/// Bytes a second that one idle node sends, by what for.
pub fn parts(seen: &Seen) -> [(&'static str, f64); 7] {
    let seconds = |time: u64| time as f64 / 1e6;
    // What it makes others send is as much as what others make it send.
    let lookup = seen.upkeep.requests * (sizes::KAD_REQUEST + sizes::kad_answer(K.min(seen.nodes))) as f64;
    let put = lookup + (K.min(seen.nodes) as u64 * sizes::ADD_PROVIDER) as f64;
    let gossiped = |payload| gossiped(&seen.course, payload);
    let offers_per_s = seen.nodes as f64 * 1e3 / offer_interval_ms(seen.nodes as u64) as f64;
    [
        ("pings", seen.peers * sizes::PING_BOTH as f64 / seconds(PING_INTERVAL)),
        ("identification", seen.peers * IDENTIFY / 1_800.0),
        ("DHT refresh", seen.upkeep.refresh_bytes / seconds(BOOTSTRAP_INTERVAL)),
        ("DHT advertising", KEYS_ADVERTISED as f64 * put / seconds(ANNOUNCE_INTERVAL)),
        ("meeting nodes for both", met_per_s(seen) * sizes::MEETING as f64),
        ("offers", offers_per_s * gossiped(sizes::offer())),
        (
            "empty blocks",
            gossiped(BLOCK_WORD) / (EMPTY_BLOCK_S * QUIET_BLOCKS)
                + sizes::empty_block(VALIDATORS) as f64 / EMPTY_BLOCK_S,
        ),
    ]
}

/// Nodes that the DHT's upkeep meets anew each second: all that it asks, where they are too many to stay connected.
fn met_per_s(seen: &Seen) -> f64 {
    let asked = seen.upkeep.refresh_requests / (BOOTSTRAP_INTERVAL as f64 / 1e6)
        + KEYS_ADVERTISED as f64 * seen.upkeep.requests / (ANNOUNCE_INTERVAL as f64 / 1e6);
    let stay = MEMBERS_IDLE_MAX.min(seen.nodes - 1) as f64 / (seen.nodes - 1) as f64;
    asked * (1.0 - stay)
}

/// Idle traffic over the size of the sky, against the cap.
pub fn curve(skies: &[Seen]) -> Table {
    let mut table = Table::new(
        "traffic",
        "what an idle node sends, in bytes a second, as it is meant to be: offers paced to 300 B/s, connections as they grew",
        &[
            "nodes",
            "pings",
            "identification",
            "DHT refresh",
            "DHT advertising",
            "meeting nodes for both",
            "offers",
            "empty blocks",
            "all",
            "GB a month",
            "of the cap",
        ],
    );
    table.plot = Some((0, 8));
    for seen in skies {
        let parts = parts(seen);
        let all: f64 = parts.iter().map(|(_, bytes)| bytes).sum();
        let mut row = vec![Cell::from(seen.nodes)];
        row.extend(parts.iter().map(|(_, bytes)| Cell::from(*bytes)));
        row.extend([all.into(), (all * 30.44 * 86_400.0 / 1e9).into(), (all / IDLE_CAP_BYTES_PER_S).into()]);
        table.row(row);
    }
    table.note(format!(
        "the cap is 1 GB a month, {IDLE_CAP_BYTES_PER_S:.0} bytes a second; received is about as much"
    ));
    table.note("four nodes, measured on the product before it had a ledger (so without blocks): 136 to 151 bytes a second");
    table.note("where all stay connected nobody is met anew; otherwise each node that the DHT's upkeep asks");
    table
}
