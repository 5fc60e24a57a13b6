//! What a consumer's choice is worth: the product's own search over the offers that it knows, against the same
//! search over all of them.

use crate::{
    chance::Chance,
    params::{CONNECTIONS_TARGET, OFFERS_ASKED_MAX},
    report::{Cell, Table, mean},
    run::Progress,
    stock,
};
use opensky_market::{Config, Market};
use opensky_types::{Micros, NodeId, Timestamp, offer::Offer, place::Region};
use std::collections::{BTreeMap, BTreeSet};

/// Nodes that a search is to find.
const WANTED: usize = 16;
/// Consumers for one row.
const CONSUMERS: usize = 5;
/// Consumers that search at one time.
const CROWD: u64 = 500;
/// The virtual time.
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A market of these offers as a consumer in `home` sees it.
fn market<'a>(offers: impl IntoIterator<Item = &'a Offer>, config: Config) -> Market {
    let mut market = Market::new(config);
    for offer in offers {
        // What a full index refuses is part of what is measured.
        let _ = market.insert(NOW, offer.clone(), stock::unsigned(offer));
    }
    market
}

fn home(region: Region) -> Config {
    Config { home_region: region, ..Config::default() }
}

/// Mean score and mean price of a choice.
fn value(market: &Market, seed: u64) -> (f64, f64) {
    let found = market.find(NOW, &stock::demand(), WANTED, &[], seed);
    let scores: Vec<f64> = found.ranked.iter().map(|one| f64::from(one.score)).collect();
    let price = |node: NodeId| market.get(node).map_or(0.0, |offer| offer.price_per_gfuel.get() as f64);
    let prices: Vec<f64> = found.ranked.iter().map(|one| price(one.node)).collect();
    (mean(&scores), mean(&prices))
}

/// Mean price of the cheapest nodes that could do the work.
fn cheapest(offers: &[Offer]) -> f64 {
    let mut prices: Vec<f64> = offers
        .iter()
        .filter(|offer| offer.slots_free > 0)
        .map(|offer| offer.price_per_gfuel.get() as f64)
        .collect();
    prices.sort_unstable_by(f64::total_cmp);
    prices.truncate(WANTED);
    mean(&prices)
}

/// Quality and price over the share of offers that a consumer knows.
pub fn curve(nodes: usize, seed: u64, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "market",
        format!(
            "the best {WANTED} of the offers known, of {nodes}: score (0 to 1000) and price per billion fuel"
        ),
        &[
            "offers known",
            "share known",
            "score",
            "of the best score",
            "price",
            "best choice's price",
            "cheapest's price",
        ],
    );
    table.plot = Some((0, 3));
    let mut chance = Chance::new(seed, "market");
    let mut offers = stock::varied(nodes, NOW, &mut chance);
    let cheapest = cheapest(&offers);
    let newcomer = CONNECTIONS_TARGET * OFFERS_ASKED_MAX;
    let mut known: Vec<usize> = vec![85, nodes / 100, nodes / 10, newcomer, nodes / 2, nodes];
    known.retain(|count| *count <= nodes);
    known.sort_unstable();
    known.dedup();
    let regions = [Region::Europe, Region::Asia, Region::NorthAmerica, Region::Africa, Region::Oceania];
    let best: Vec<(f64, f64)> =
        regions.iter().zip(1..).map(|(region, seed)| value(&market(&offers, home(*region)), seed)).collect();
    for count in known {
        progress(&format!("market: {count} of {nodes} offers known"));
        let (mut scores, mut shares, mut prices) = (Vec::new(), Vec::new(), Vec::new());
        for consumer in 0..CONSUMERS {
            chance.draw(&mut offers, count);
            let market = market(&offers[..count], home(regions[consumer]));
            let (score, price) = value(&market, consumer as u64 + 1);
            scores.push(score);
            shares.push(score / best[consumer].0);
            prices.push(price);
        }
        table.row([
            Cell::from(count),
            (count as f64 / nodes as f64).into(),
            mean(&scores).into(),
            mean(&shares).into(),
            mean(&prices).into(),
            mean(&best.iter().map(|(_, price)| *price).collect::<Vec<f64>>()).into(),
            cheapest.into(),
        ]);
    }
    table.note("prices are log-normal around the product's proposal of 100; scores compare them with that");
    table
}

/// Whether consumers that all know all offers run to the same nodes.
pub fn crowd(nodes: usize, seed: u64, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "market-crowd",
        format!(
            "consumers of one region that search at one time, each for {WANTED} slots, of {nodes} offers"
        ),
        &["consumers", "nodes chosen", "chosen by most", "slots wanted", "refused as full"],
    );
    let mut chance = Chance::new(seed, "crowd");
    let offers = stock::varied(nodes, NOW, &mut chance);
    progress(&format!("market: crowds among {nodes} offers"));
    let market = market(&offers, home(Region::Europe));
    for consumers in [10, 100, CROWD] {
        let mut wanted: BTreeMap<NodeId, u64> = BTreeMap::new();
        for _ in 0..consumers {
            for one in market.find(NOW, &stock::demand(), WANTED, &[], chance.word()).ranked {
                *wanted.entry(one.node).or_default() += 1;
            }
        }
        let free = |node: NodeId| market.get(node).map_or(0, |offer| u64::from(offer.slots_free));
        let over: u64 = wanted.iter().map(|(node, count)| count.saturating_sub(free(*node))).sum();
        let total: u64 = wanted.values().sum();
        table.row([
            Cell::from(consumers),
            wanted.len().into(),
            wanted.values().copied().max().unwrap_or(0).into(),
            total.into(),
            (over as f64 / total.max(1) as f64).into(),
        ]);
    }
    table
}

/// What 20 Sybils for each honest provider do to a choice and to the index.
pub fn sybils(honest: usize, ratio: usize, seed: u64, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "sybils-market",
        format!("the best {WANTED} where {honest} honest members offer, and {ratio} Sybils for each"),
        &["the Sybils' offers", "index holds", "honest in it", "Sybils in it", "Sybils chosen"],
    );
    let mut chance = Chance::new(seed, "market of sybils");
    let all = stock::varied(honest * (ratio + 1), NOW, &mut chance);
    let (own, others) = all.split_at(honest);
    let names: BTreeSet<NodeId> = others.iter().map(|offer| offer.node).collect();
    let is_theirs = |node: NodeId| names.contains(&node);
    let tempting: Vec<Offer> = others.iter().map(tempting).collect();
    // At 100,000 honest members the index of 200,000 would hold a tenth of all that there are then.
    let bounded = Config { nodes_max: 2 * honest, ..home(Region::Europe) };
    let cases = [
        ("none (closed sky)", &[][..], home(Region::Europe)),
        ("like the others", others, home(Region::Europe)),
        ("the best that can be claimed", &tempting[..], home(Region::Europe)),
        ("like that, index for a tenth of all", &tempting[..], bounded),
    ];
    for (name, theirs, config) in cases {
        progress(&format!("sybils: market, {name}"));
        let market = market(own.iter().chain(theirs), config);
        let held = market.offers().filter(|offer| is_theirs(offer.node)).count();
        let found = market.find(NOW, &stock::demand(), WANTED, &[], seed);
        let chosen = found.ranked.iter().filter(|one| is_theirs(one.node)).count();
        table.row([
            Cell::from(name),
            market.len().into(),
            (market.len() - held).into(),
            held.into(),
            (chosen as f64 / found.ranked.len().max(1) as f64).into(),
        ]);
    }
    table.note("the market's scores know no reputation: a new member's offer counts as much as an old one's");
    table
        .note("a full index is a sample that no claim changes: of honest members as large a share as of all");
    table
}

/// What draws most consumers: free of charge, fast, all slots free, and holding as long as is allowed.
fn tempting(offer: &Offer) -> Offer {
    let mut offer = offer.clone();
    offer.region = Region::Europe;
    offer.price_per_gfuel = Micros::ZERO;
    offer.hardware.score_per_core = u32::MAX;
    offer.slots_total = 4_096;
    offer.slots_free = 4_096;
    offer.expires_at = NOW.plus_ms(Config::default().offer_ttl_ms_max);
    offer
}
