//! A batch of changes in one pass: each node above them is hashed once.
//!
//! The pass makes new nodes and releases those they stand for. A released place is free at once, and
//! so the next to be used; or, in a draft, it is kept until the draft's fate is known.

use super::{
    Change, Changes, Tree, bit,
    changes::split,
    node::{Inner, Kind, Leaf, Link, inner_hash},
};
use opensky_types::Hash;

/// What a pass made and what that replaces, where both must stay for now.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    pub made: Vec<Link>,
    pub replaced: Vec<Link>,
}

impl Tree {
    /// Applies `changes` and returns the new root. Taking out what is not there changes nothing.
    /// Drafts on the state before are gone.
    pub fn update(&mut self, changes: &Changes) -> Hash {
        self.discard_all();
        self.root = self.write(&mut None, self.root, 0, changes.as_slice());
        self.root()
    }

    /// The subtree at `link` after `changes`, all of which belong below it.
    pub(super) fn write(
        &mut self,
        trace: &mut Option<Trace>,
        link: Link,
        depth: usize,
        changes: &[Change],
    ) -> Link {
        match (changes, link.kind()) {
            ([], _) => return link,
            ([only], Kind::Empty) => {
                return only.value.map_or(link, |value| self.new_leaf(trace, only.key, value));
            }
            ([only], Kind::Leaf(at)) if self.leaves.get(at).key == only.key => {
                self.release(trace, link);
                return only.value.map_or(Link::EMPTY, |value| self.new_leaf(trace, only.key, value));
            }
            _ => {}
        }
        let (left, right) = self.sides(link, depth);
        let (changes_left, changes_right) = split(changes, depth);
        let left = self.write(trace, left, depth + 1, changes_left);
        let right = self.write(trace, right, depth + 1, changes_right);
        if matches!(link.kind(), Kind::Inner(_)) {
            self.release(trace, link);
        }
        self.join(trace, left, right)
    }

    /// What is left and right below `link`. A leaf stands for all of its subtree, so it belongs to one
    /// side.
    pub(super) fn sides(&self, link: Link, depth: usize) -> (Link, Link) {
        match link.kind() {
            Kind::Empty => (Link::EMPTY, Link::EMPTY),
            Kind::Leaf(at) if bit(&self.leaves.get(at).key, depth) => (Link::EMPTY, link),
            Kind::Leaf(_) => (link, Link::EMPTY),
            Kind::Inner(at) => (self.inner.get(at).left, self.inner.get(at).right),
        }
    }

    /// The subtree of two subtrees: an inner node, unless at most one leaf is left of it.
    fn join(&mut self, trace: &mut Option<Trace>, left: Link, right: Link) -> Link {
        match (left.kind(), right.kind()) {
            (Kind::Empty, Kind::Empty | Kind::Leaf(_)) => right,
            (Kind::Leaf(_), Kind::Empty) => left,
            _ => {
                let hash = inner_hash(&self.hash_at(left), &self.hash_at(right));
                noted(trace, Link::inner(self.inner.insert(Inner { hash, left, right })))
            }
        }
    }

    fn new_leaf(&mut self, trace: &mut Option<Trace>, key: Hash, value: Hash) -> Link {
        noted(trace, Link::leaf(self.leaves.insert(Leaf { key, value })))
    }

    fn release(&mut self, trace: &mut Option<Trace>, link: Link) {
        match trace {
            Some(trace) => trace.replaced.push(link),
            None => self.free(link),
        }
    }

    pub(super) fn free(&mut self, link: Link) {
        match link.kind() {
            Kind::Empty => {}
            Kind::Leaf(at) => self.leaves.remove(at),
            Kind::Inner(at) => self.inner.remove(at),
        }
    }
}

fn noted(trace: &mut Option<Trace>, made: Link) -> Link {
    if let Some(trace) = trace {
        trace.made.push(made);
    }
    made
}
