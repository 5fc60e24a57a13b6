//! A batch of changes in one pass: each node above them is hashed once.
//!
//! The pass makes new nodes and releases those they stand for. A released place is free at once, and
//! so the next to be used; or, in a draft, it is kept until the draft's fate is known.

use super::{
    Change, Changes, Tree, bit,
    changes::split,
    node::{Inner, Kind, Leaf, Link, Node},
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

    /// The subtree `node` after `changes`, all of which belong below it.
    pub(super) fn write(
        &mut self,
        trace: &mut Option<Trace>,
        node: Node,
        depth: usize,
        changes: &[Change],
    ) -> Node {
        match (changes, node.link.kind()) {
            ([], _) => return node,
            ([only], Kind::Empty) => return self.new_leaf(trace, only),
            ([only], Kind::Leaf(at)) if self.leaves.get(at).key == only.key => {
                self.release(trace, node.link);
                return self.new_leaf(trace, only);
            }
            _ => {}
        }
        let (left, right) = self.sides(node, depth);
        let (changes_left, changes_right) = split(changes, depth);
        let left = self.write(trace, left, depth + 1, changes_left);
        let right = self.write(trace, right, depth + 1, changes_right);
        if matches!(node.link.kind(), Kind::Inner(_)) {
            self.release(trace, node.link);
        }
        self.join(trace, left, right)
    }

    /// What is left and right below a node. A leaf stands for all of its subtree, so it belongs to one
    /// side.
    pub(super) fn sides(&self, node: Node, depth: usize) -> (Node, Node) {
        match node.link.kind() {
            Kind::Empty => (Node::EMPTY, Node::EMPTY),
            Kind::Leaf(at) if bit(&self.leaves.get(at).key, depth) => (Node::EMPTY, node),
            Kind::Leaf(_) => (node, Node::EMPTY),
            Kind::Inner(at) => (self.inner.get(at).left, self.inner.get(at).right),
        }
    }

    /// The subtree of two subtrees: an inner node, unless at most one leaf is left of it.
    fn join(&mut self, trace: &mut Option<Trace>, left: Node, right: Node) -> Node {
        match (left.link.kind(), right.link.kind()) {
            (Kind::Empty, Kind::Empty | Kind::Leaf(_)) => right,
            (Kind::Leaf(_), Kind::Empty) => left,
            _ => {
                let inner = Inner { left, right };
                let link = noted(trace, Link::inner(self.inner.insert(inner)));
                Node { hash: inner.hash(), link }
            }
        }
    }

    fn new_leaf(&mut self, trace: &mut Option<Trace>, change: &Change) -> Node {
        let Some(value) = change.value else { return Node::EMPTY };
        let leaf = Leaf { key: change.key, value };
        let link = noted(trace, Link::leaf(self.leaves.insert(leaf)));
        Node { hash: leaf.hash(), link }
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
