//! States that are not final: each block on its parent, in the same arena, hashed once.
//!
//! A draft makes new nodes for what its block changes and shares all others with the state it stands
//! on. When the block becomes final, the nodes it replaces are freed; when it does not, those it made.

use super::{
    Changes, Tree,
    node::{Link, Node},
    write::Trace,
};
use opensky_types::Hash;
use std::collections::BTreeMap;

/// The name of a state that is not final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Draft(u64);

/// A draft was used after it became final, was discarded, or was overtaken by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the draft of this state is gone")]
pub struct DraftGone;

#[derive(Debug, Clone)]
struct Layer {
    /// The draft below; `None` if that is the final state.
    on: Option<Draft>,
    root: Node,
    trace: Trace,
}

/// The drafts of a tree, and the next one's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Drafts {
    layers: BTreeMap<Draft, Layer>,
    next: u64,
}

impl Drafts {
    /// The root of each draft.
    pub fn roots(&self) -> impl Iterator<Item = Node> + '_ {
        self.layers.values().map(|layer| layer.root)
    }

    /// Every node that belongs to a draft and not to the final state.
    pub fn made(&self) -> impl Iterator<Item = Link> + '_ {
        self.layers.values().flat_map(|layer| layer.trace.made.iter().copied())
    }
}

impl Tree {
    /// The state after `changes` on the final state, or on a draft.
    pub fn draft(&mut self, on: Option<Draft>, changes: &Changes) -> Result<Draft, DraftGone> {
        let below = match on {
            None => self.root,
            Some(draft) => self.drafts.layers.get(&draft).ok_or(DraftGone)?.root,
        };
        let mut trace = Some(Trace::default());
        let root = self.write(&mut trace, below, 0, changes.as_slice());
        let draft = Draft(self.drafts.next);
        self.drafts.next += 1;
        self.drafts.layers.insert(draft, Layer { on, root, trace: trace.unwrap_or_default() });
        Ok(draft)
    }

    /// The root of a draft.
    pub fn draft_root(&self, draft: Draft) -> Result<Hash, DraftGone> {
        Ok(self.drafts.layers.get(&draft).ok_or(DraftGone)?.root.hash)
    }

    /// Makes a draft and all it stands on the final state, and returns the new root. Drafts that do not
    /// stand on it are gone.
    pub fn adopt(&mut self, draft: Draft) -> Result<Hash, DraftGone> {
        let on = self.drafts.layers.get(&draft).ok_or(DraftGone)?.on;
        if let Some(below) = on {
            self.adopt(below)?;
        }
        let layer = self.drafts.layers.remove(&draft).ok_or(DraftGone)?;
        // All others on the final state are its rivals.
        self.discard_all();
        for standing in self.drafts.layers.values_mut().filter(|standing| standing.on == Some(draft)) {
            standing.on = None;
        }
        self.root = layer.root;
        layer.trace.replaced.into_iter().for_each(|link| self.free(link));
        Ok(self.root())
    }

    /// Drops a draft and all that stand on it. One that is gone already is no error.
    pub fn discard(&mut self, draft: Draft) {
        let Some(layer) = self.drafts.layers.remove(&draft) else { return };
        let standing: Vec<Draft> = self.standing_on(Some(draft)).collect();
        for above in standing {
            self.discard(above);
        }
        layer.trace.made.into_iter().for_each(|link| self.free(link));
    }

    /// Drops every draft that stands on the final state, and so all that stand on those.
    pub(super) fn discard_all(&mut self) {
        let drafts: Vec<Draft> = self.standing_on(None).collect();
        drafts.into_iter().for_each(|draft| self.discard(draft));
    }

    fn standing_on(&self, on: Option<Draft>) -> impl Iterator<Item = Draft> + '_ {
        self.drafts.layers.iter().filter(move |(_, layer)| layer.on == on).map(|(draft, _)| *draft)
    }
}
