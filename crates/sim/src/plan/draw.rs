//! Plans drawn from seeds.

use super::{Check, Deed, JobShape, Manner, NodePlan, Plan, Reads, StageShape, Step};
use crate::{chance::source, weather::Climate};
use rand::{RngExt, rngs::StdRng};

/// The largest sky.
const NODES_MAX: usize = 8;
/// The longest time in which things go wrong, in milliseconds.
const BUSY_MS: std::ops::Range<u64> = 60_000..240_000;

impl Plan {
    /// The plan of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let chance = &mut source(seed, "plan");
        let nodes_count = chance.random_range(4..=NODES_MAX);
        let validators = if chance.random_ratio(1, 4) { 1 } else { 4 };
        let has_prices = chance.random_ratio(2, 3);
        let busy_ms = chance.random_range(BUSY_MS);
        let nodes = (0..nodes_count).map(|index| node(chance, index, busy_ms)).collect();
        let mut steps: Vec<Step> = Vec::new();
        let mut happens = |chance: &mut StdRng, deed| {
            let at_ms = chance.random_range(2_000..busy_ms);
            steps.push(Step { at_ms, deed });
        };
        for _ in 0..chance.random_range(2..8) {
            let deed =
                Deed::Submit { node: chance.random_range(0..nodes_count), job: job(chance, has_prices) };
            happens(chance, deed);
        }
        for _ in 0..chance.random_range(0..12) {
            let deed = user(chance, nodes_count, has_prices);
            happens(chance, deed);
        }
        // A third of the skies are calm, so that what is wrong without any fault is seen as that.
        let faults = if chance.random_ratio(1, 3) { 0 } else { chance.random_range(1..10) };
        for _ in 0..faults {
            let deed = fault(chance, nodes_count, validators);
            happens(chance, deed);
        }
        if has_prices {
            // Whoever has money at first gives everybody some, so that all can buy.
            steps.extend(
                (1..nodes_count).map(|to| Step {
                    at_ms: 2_000,
                    deed: Deed::Transfer { from: 0, to, micros: 20_000_000 },
                }),
            );
        }
        steps.sort_by_key(|step| step.at_ms);
        Self {
            seed,
            validators,
            has_prices,
            epoch_blocks: chance.random_range(4..40),
            snapshot_blocks: chance.random_range(5..60),
            climate: climate(chance),
            nodes,
            steps,
            busy_ms,
        }
    }
}

fn node(chance: &mut StdRng, index: usize, busy_ms: u64) -> NodePlan {
    let manner = match chance.random_range(0..12) {
        0 => Manner::Slow(chance.random_range(2..10)),
        1 => Manner::Stalls(chance.random_range(10..500)),
        2 => Manner::Lies(chance.random_range(100..=1_000)),
        3 => Manner::Overbills,
        4 => Manner::Fails(chance.random_range(10..1_000)),
        _ => Manner::Honest,
    };
    let comes_late = index >= 4 && chance.random_ratio(1, 3);
    let comes_ms = if comes_late { chance.random_range(1_000..busy_ms) } else { 0 };
    NodePlan { manner, drift_ppm: chance.random_range(-100..=100), comes_ms }
}

fn climate(chance: &mut StdRng) -> Climate {
    Climate {
        latency_us: chance.random_range(100..60_000),
        jitter_us: chance.random_range(0..20_000),
        loss_per_mille: chance.random_range(0..20),
        echo_per_mille: chance.random_range(0..10),
    }
}

fn storm(chance: &mut StdRng) -> Climate {
    Climate {
        latency_us: chance.random_range(50_000..400_000),
        jitter_us: chance.random_range(0..400_000),
        loss_per_mille: chance.random_range(0..400),
        echo_per_mille: chance.random_range(0..100),
    }
}

fn job(chance: &mut StdRng, has_prices: bool) -> JobShape {
    let mut stages = Vec::new();
    for position in 0..chance.random_range(1..4_u16) {
        let before = |chance: &mut StdRng| chance.random_range(0..position);
        let reads = match chance.random_range(0..3) {
            1 if position > 0 => Reads::Each(before(chance)),
            2 if position > 0 => Reads::Reduce(before(chance), chance.random_range(2..12)),
            _ => Reads::Numbers(chance.random_range(1..60)),
        };
        let check = match chance.random_range(0..6) {
            0 | 1 => Check::None,
            2 => Check::Sample(chance.random_range(50..=1_000)),
            3 => Check::Reputation,
            _ => Check::Quorum,
        };
        let task_ms = if chance.random_ratio(1, 5) {
            chance.random_range(2_000..20_000)
        } else {
            chance.random_range(0..800)
        };
        stages.push(StageShape { reads, check, task_ms, hedge: chance.random_ratio(2, 3) });
    }
    JobShape {
        stages,
        durable: chance.random_ratio(3, 4),
        budget: (has_prices && chance.random_ratio(1, 3)).then(|| chance.random_range(1_000..500_000)),
        wait_ms: chance.random_range(0..120_000),
        deadline_ms: chance.random_ratio(1, 8).then(|| chance.random_range(5_000..120_000)),
    }
}

/// What users do beside submitting jobs.
fn user(chance: &mut StdRng, nodes: usize, has_prices: bool) -> Deed {
    let node = chance.random_range(0..nodes);
    match chance.random_range(0..6) {
        0 => Deed::Cancel { node, back: chance.random_range(0..3) },
        1 => Deed::Retry { node, back: chance.random_range(0..3) },
        2 => Deed::Share { node, share: chance.random_ratio(1, 2) },
        3 if has_prices => Deed::Price { node, micros: chance.random_range(0..400) },
        _ => Deed::Transfer {
            from: if chance.random_ratio(1, 2) { 0 } else { node },
            to: chance.random_range(0..nodes),
            micros: chance.random_range(1..2_000_000),
        },
    }
}

fn fault(chance: &mut StdRng, nodes: usize, validators: u8) -> Deed {
    let node = chance.random_range(0..nodes);
    let down_ms = chance.random_range(200..40_000);
    let for_ms = chance.random_range(500..60_000);
    match chance.random_range(0..16) {
        0 | 1 => Deed::Kill { node, down_ms },
        2 | 3 => Deed::PowerCut { node, down_ms },
        4 => Deed::DieAtSync {
            node,
            ledger: chance.random_ratio(1, 3),
            more: chance.random_range(0..40),
            reaches: chance.random_ratio(1, 2),
            down_ms,
        },
        // One validator of four may go; the rest of a sky goes on without whoever leaves.
        5 => Deed::Leave { node: if validators == 1 { node.max(1) } else { node.max(3) } },
        6 => Deed::LoseDisk { node: node.max(usize::from(validators)).min(nodes - 1), down_ms },
        7 => Deed::Rot { node, position: chance.random(), down_ms },
        8 => Deed::SyncsFail { node, for_ms },
        9 => Deed::DiskFull { node, for_ms },
        10 => Deed::Split { side: (0..nodes).filter(|_| chance.random_ratio(1, 2)).collect(), for_ms },
        11 => Deed::OneWay { from: node, to: chance.random_range(0..nodes), for_ms },
        12 => Deed::Storm { climate: storm(chance), for_ms },
        13 => {
            let millis = chance.random_range(-3_600_000..3_600_000);
            let millis = if chance.random_ratio(1, 2) { millis / 600 } else { millis };
            Deed::ClockJump { node, millis, for_ms }
        }
        14 => Deed::PowerCutForAll { down_ms },
        _ if validators > 1 => Deed::Equivocate { node: usize::from(validators) - 1 },
        _ => Deed::Kill { node, down_ms },
    }
}
