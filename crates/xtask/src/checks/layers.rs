//! Arrows point down: a crate depends only on crates of lower layers (ARCHITECTURE.md, rooms).

use crate::{
    finding::Finding,
    workspace::{Package, Workspace},
};
use anyhow::Result;

/// Where each crate stands, by folder name.
const LAYERS: &[(&str, u8)] = &[
    ("types", 0),
    ("ledger", 1),
    ("market", 1),
    ("services", 1),
    ("provider", 1),
    ("scheduler", 1),
    ("api", 2),
    ("ports", 2),
    ("protocol", 2),
    ("textfile", 2),
    ("consensus", 3),
    ("executor", 3),
    ("executor-wasm", 4),
    ("executor-container", 4),
    ("identity", 3),
    ("jobfile", 3),
    ("machine", 3),
    ("network", 3),
    ("servicefile", 3),
    ("site", 3),
    ("storage", 3),
    ("chain", 4),
    ("client", 4),
    ("node", 4),
    ("gateway", 5),
    ("opensky", 6),
];

/// Crates that no one ships: they may use any crate, and shipped crates use them in tests only.
const NOT_SHIPPED: &[&str] = &["benches", "e2e", "fuzz", "rig", "scale", "sim", "testkit", "xtask"];

/// Where a crate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Layer(u8),
    NotShipped,
}

fn place_of(package: &str) -> Option<Place> {
    let room = package.strip_prefix("opensky-").unwrap_or(package);
    let layer = LAYERS.iter().find(|(name, _)| *name == room).map(|(_, layer)| Place::Layer(*layer));
    layer.or_else(|| NOT_SHIPPED.contains(&room).then_some(Place::NotShipped))
}

/// Checks every arrow between the workspace's crates.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    Ok(workspace.members().flat_map(check_crate).collect())
}

fn check_crate(package: &Package) -> Vec<Finding> {
    let Some(place) = place_of(&package.name) else {
        let problem = "has no layer; name it in crates/xtask/src/checks/layers.rs and in ARCHITECTURE.md";
        return vec![Finding::new(&package.name, problem)];
    };
    let shipped_arrows =
        package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
    shipped_arrows
        .filter(|dependency| dependency.name.starts_with("opensky-") || dependency.name == "opensky")
        .filter_map(|dependency| Some((dependency, problem_of(place, place_of(&dependency.name)?)?)))
        .map(|(dependency, problem)| {
            Finding::new(&package.name, format!("depends on {}, {problem}", dependency.name))
        })
        .collect()
}

fn problem_of(from: Place, to: Place) -> Option<String> {
    match (from, to) {
        (Place::NotShipped, _) => None,
        (Place::Layer(_), Place::NotShipped) => Some("which is never shipped".to_owned()),
        (Place::Layer(from), Place::Layer(to)) if to < from => None,
        (Place::Layer(from), Place::Layer(to)) => {
            Some(format!("layer {to}, from layer {from}; arrows point down"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down_and_never_sideways() {
        let place = |name| place_of(name).expect("a known crate");
        let problem = |from, to| problem_of(place(from), place(to));
        assert_eq!(problem("opensky-node", "opensky-market"), None);
        assert_eq!(problem("opensky-xtask", "opensky"), None);
        assert!(problem("opensky-network", "opensky-storage").is_some());
        assert!(problem("opensky-types", "opensky-market").is_some());
        assert!(problem("opensky-node", "opensky-testkit").is_some());
        assert_eq!(place_of("opensky-unheard-of"), None);
    }
}
