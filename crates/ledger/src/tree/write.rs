//! A batch of changes in one pass: each node above them is hashed once.

use super::{
    Change, Changes, Tree, bit,
    changes::split,
    node::{Inner, Kind, Leaf, Link, inner_hash},
};
use opensky_types::Hash;

impl Tree {
    /// Applies `changes` and returns the new root. Taking out what is not there changes nothing.
    pub fn update(&mut self, changes: &Changes) -> Hash {
        self.root = self.write(self.root, 0, changes.as_slice());
        self.root()
    }

    /// The subtree at `link` after `changes`, all of which belong below it.
    fn write(&mut self, link: Link, depth: usize, changes: &[Change]) -> Link {
        match (changes, link.kind()) {
            ([], _) => return link,
            ([only], Kind::Empty) => {
                return only.value.map_or(link, |value| self.new_leaf(only.key, value));
            }
            ([only], Kind::Leaf(at)) if self.leaves.get(at).key == only.key => {
                return self.set_leaf(at, only.value);
            }
            _ => {}
        }
        let (place, left, right) = self.open(link, depth);
        let (changes_left, changes_right) = split(changes, depth);
        let left = self.write(left, depth + 1, changes_left);
        let right = self.write(right, depth + 1, changes_right);
        self.join(place, left, right)
    }

    /// What is left and right below `link`, and the inner node that stands there by now. A leaf stands
    /// for all of its subtree, so it belongs to one side.
    fn open(&self, link: Link, depth: usize) -> (Option<u32>, Link, Link) {
        match link.kind() {
            Kind::Empty => (None, Link::EMPTY, Link::EMPTY),
            Kind::Leaf(at) if bit(&self.leaves.get(at).key, depth) => (None, Link::EMPTY, link),
            Kind::Leaf(_) => (None, link, Link::EMPTY),
            Kind::Inner(at) => {
                let inner = self.inner.get(at);
                (Some(at), inner.left, inner.right)
            }
        }
    }

    /// The subtree of two subtrees, at `place` if it has one: an inner node, unless at most one leaf
    /// is left of it.
    fn join(&mut self, place: Option<u32>, left: Link, right: Link) -> Link {
        let collapsed = match (left.kind(), right.kind()) {
            (Kind::Empty, Kind::Empty | Kind::Leaf(_)) => Some(right),
            (Kind::Leaf(_), Kind::Empty) => Some(left),
            _ => None,
        };
        if let Some(link) = collapsed {
            if let Some(at) = place {
                self.inner.remove(at);
            }
            return link;
        }
        let inner = Inner { hash: inner_hash(&self.hash_at(left), &self.hash_at(right)), left, right };
        match place {
            Some(at) => {
                *self.inner.get_mut(at) = inner;
                Link::inner(at)
            }
            None => Link::inner(self.inner.insert(inner)),
        }
    }

    fn new_leaf(&mut self, key: Hash, value: Hash) -> Link {
        Link::leaf(self.leaves.insert(Leaf { key, value }))
    }

    fn set_leaf(&mut self, at: u32, value: Option<Hash>) -> Link {
        match value {
            Some(value) => {
                self.leaves.get_mut(at).value = value;
                Link::leaf(at)
            }
            None => {
                self.leaves.remove(at);
                Link::EMPTY
            }
        }
    }
}
