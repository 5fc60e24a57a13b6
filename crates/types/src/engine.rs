//! What runs tasks on a node, as offers and receipts name it.

use crate::{hash::Hash, offer::ContainerOffer, place::Level};

/// One way in which a node runs tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Name and version, such as `wasmtime 48.0.8` or `docker 29.1.0`.
    pub name: String,
    /// Hash of everything in its configuration that can change a result or a meter.
    pub config: Hash,
    /// Levels it runs.
    pub levels: Vec<Level>,
    /// What containers find in it beside a processor, memory and files.
    pub containers: ContainerOffer,
}

impl Engine {
    /// The first of `engines` that runs `level`.
    pub fn of(engines: &[Self], level: Level) -> Option<&Self> {
        engines.iter().find(|engine| engine.levels.contains(&level))
    }

    /// Every level that one of `engines` runs, in order, each once.
    pub fn levels(engines: &[Self]) -> Vec<Level> {
        let mut levels: Vec<Level> =
            engines.iter().flat_map(|engine| engine.levels.iter().copied()).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }
}
