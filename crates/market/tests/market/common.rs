//! Offers and demands to test with.

use opensky_market::{Config, Inserted, Market, OfferRejected};
use opensky_types::{
    Keypair, Micros, NodeId, Signed, Timestamp,
    job::Needs,
    offer::{Constraints, ContainerOffer, Demand, Offer},
    place::{Level, NodeKind, Region},
    resources::{HardwareProfile, TaskLimits},
};

pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub fn key(number: u8) -> Keypair {
    Keypair::from_seed([number; 32])
}

pub fn node(number: u8) -> NodeId {
    key(number).id()
}

/// A market whose home is Europe.
pub fn market() -> Market {
    Market::new(Config { home_region: Region::Europe, ..Config::default() })
}

/// A plain European offer with 4 free slots of 4.
pub fn offer(number: u8) -> Offer {
    Offer {
        node: node(number),
        sequence: 1,
        made_at: NOW,
        expires_at: NOW.plus_ms(60_000),
        region: Region::Europe,
        kinds: vec![NodeKind::General],
        levels: vec![Level::Function, Level::Vm],
        hardware: HardwareProfile {
            cpu_arch: "x86_64".into(),
            cpu_cores: 8,
            memory_bytes: 16 << 30,
            score_per_core: 1_000,
            ..HardwareProfile::default()
        },
        slots_total: 4,
        slots_free: 4,
        task_limits_max: TaskLimits::default(),
        engine: "test 1".into(),
        price_per_gfuel: Micros::new(1_000),
        note: String::new(),
        containers: ContainerOffer::default(),
    }
}

pub fn demand() -> Demand {
    Demand {
        level: Level::Vm,
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        needs: Needs::default(),
    }
}

/// Signs and inserts.
pub fn insert(
    market: &mut Market,
    now: Timestamp,
    number: u8,
    offer: Offer,
) -> Result<Inserted, OfferRejected> {
    let signed = Signed::sign(&offer, &key(number));
    let inserted = market.insert(now, offer, signed);
    market.check();
    inserted
}

/// Nodes found, best first.
pub fn found(market: &Market, now: Timestamp, demand: &Demand) -> Vec<NodeId> {
    market.find(now, demand, 100, &[], 0).ranked.iter().map(|found| found.node).collect()
}
