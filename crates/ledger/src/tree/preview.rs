//! What the root would be: for blocks that are not final, and for subtrees that come alone.

use super::{
    Change, Changes, EMPTY, Tree,
    changes::split,
    node::{Kind, Node, inner_hash, leaf_hash},
};
use opensky_types::Hash;

/// A subtree as the one above it sees it.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Empty,
    Leaf(Hash),
    Inner(Hash),
}

impl Seen {
    fn hash(self) -> Hash {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf(hash) | Self::Inner(hash) => hash,
        }
    }

    fn join(left: Self, right: Self) -> Self {
        match (left, right) {
            (Self::Empty, Self::Empty | Self::Leaf(_)) => right,
            (Self::Leaf(_), Self::Empty) => left,
            _ => Self::Inner(inner_hash(&left.hash(), &right.hash())),
        }
    }
}

impl Tree {
    /// The root after `changes`, which stay outside the tree. Changes of several blocks are stacked with
    /// [`Changes::then`]; who needs the state again after that makes a [`super::Draft`] of it, which
    /// hashes each block once.
    pub fn root_with(&self, changes: &Changes) -> Hash {
        self.preview(self.root, 0, changes.as_slice()).hash()
    }

    fn preview(&self, node: Node, depth: usize, changes: &[Change]) -> Seen {
        match (changes, node.link.kind()) {
            ([], Kind::Empty) => return Seen::Empty,
            ([], Kind::Leaf(_)) => return Seen::Leaf(node.hash),
            ([], Kind::Inner(_)) => return Seen::Inner(node.hash),
            ([only], Kind::Empty) => return seen_leaf(only),
            ([only], Kind::Leaf(at)) if self.leaves.get(at).key == only.key => return seen_leaf(only),
            _ => {}
        }
        let (left, right) = self.sides(node, depth);
        let (changes_left, changes_right) = split(changes, depth);
        Seen::join(self.preview(left, depth + 1, changes_left), self.preview(right, depth + 1, changes_right))
    }
}

fn seen_leaf(change: &Change) -> Seen {
    change.value.map_or(Seen::Empty, |value| Seen::Leaf(leaf_hash(&change.key, &value)))
}

/// The hash of a subtree at `depth` that holds exactly these entries, whose keys agree in all bits
/// before it.
pub(crate) fn hash_of(entries: &Changes, depth: usize) -> Hash {
    Tree::new().preview(Node::EMPTY, depth, entries.as_slice()).hash()
}
