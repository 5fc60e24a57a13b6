//! The tree's invariants, for tests.

use super::{
    Tree,
    node::{EMPTY, Kind, Node},
};

impl Tree {
    /// Panics unless every node is where its key says, every hash is that of what is below it, no
    /// subtree of one leaf is an inner node, and no place is lost.
    pub fn check(&self) {
        let mut prefix = Vec::new();
        let (inner, leaves) = self.check_below(self.root, &mut prefix);
        let drafted = self.drafts.made().filter(|link| matches!(link.kind(), Kind::Inner(_))).count();
        assert_eq!(inner + drafted, self.inner.len(), "every inner node is reached once");
        assert_eq!(leaves, self.len(), "every leaf is reached once");
        for root in self.drafts.roots() {
            self.check_below(root, &mut prefix);
        }
    }

    fn check_below(&self, node: Node, prefix: &mut Vec<bool>) -> (usize, usize) {
        match node.link.kind() {
            Kind::Empty => {
                assert_eq!(node.hash, EMPTY);
                (0, 0)
            }
            Kind::Leaf(at) => {
                let leaf = self.leaves.get(at);
                assert_eq!(node.hash, leaf.hash(), "a leaf's hash is known above it");
                let key = leaf.key;
                assert!(prefix.iter().enumerate().all(|(depth, side)| super::bit(&key, depth) == *side));
                (0, 1)
            }
            Kind::Inner(at) => {
                let inner = self.inner.get(at);
                let mut counts = (1, 0);
                for side in [false, true] {
                    prefix.push(side);
                    let (below, leaves) = self.check_below(inner.child(side), prefix);
                    prefix.pop();
                    counts = (counts.0 + below, counts.1 + leaves);
                }
                assert!(counts.1 >= 2, "an inner node has at least two leaves below it");
                assert_eq!(node.hash, inner.hash(), "a node's hash is that of its children");
                counts
            }
        }
    }
}
