//! Whom nodes connect to after a restart: known members in an order of chance, as it is today (`network/src/book.rs`,
//! `due`), and in the order of their ids.

use crate::{
    chance::Chance,
    params::{CONNECTIONS_MAX, CONNECTIONS_TARGET},
    report::{Cell, Table},
    run::Progress,
};

/// Members that a node knows, of all.
const KNOWN: usize = 500;

/// How connections fall on nodes.
pub fn table(nodes: usize, seed: u64, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "dialling",
        format!(
            "{nodes} nodes that start again, each knows {KNOWN} members and dials until 50 are connected"
        ),
        &["order", "connections", "full nodes", "held by a tenth of nodes", "dials refused a node"],
    );
    for (name, by_id) in [("by chance (today)", false), ("by id", true)] {
        progress(&format!("connections: {nodes} nodes dial {name}"));
        let (mut degrees, refused) = dial(nodes, by_id, seed);
        degrees.sort_unstable_by(|one, other| other.cmp(one));
        let total: usize = degrees.iter().sum();
        let top: usize = degrees[..nodes.div_ceil(10)].iter().sum();
        let full = degrees.iter().filter(|degree| **degree >= CONNECTIONS_MAX).count();
        table.row([
            Cell::from(name),
            (total as f64 / nodes as f64).into(),
            (full as f64 / nodes as f64).into(),
            (top as f64 / total.max(1) as f64).into(),
            (refused as f64 / nodes as f64).into(),
        ]);
    }
    table
}

/// Connections of each node, and dials that found a full one.
fn dial(nodes: usize, by_id: bool, seed: u64) -> (Vec<usize>, u64) {
    let mut chance = Chance::new(seed, "dialling");
    let mut order: Vec<usize> = (0..nodes).collect();
    chance.draw(&mut order, nodes);
    let mut degrees = vec![0; nodes];
    let mut refused = 0;
    for node in order {
        let mut known: Vec<usize> = (0..KNOWN).map(|_| chance.below(nodes)).collect();
        if by_id {
            known.sort_unstable();
        }
        known.dedup();
        for other in known {
            if degrees[node] >= CONNECTIONS_TARGET {
                break;
            }
            // A pair that dials each other twice is one connection; among so many that is rare.
            if degrees[other] >= CONNECTIONS_MAX {
                refused += 1;
            } else if other != node {
                degrees[node] += 1;
                degrees[other] += 1;
            }
        }
    }
    (degrees, refused)
}
