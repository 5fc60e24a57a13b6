//! The tree's invariants, for tests.

use super::{
    Tree,
    node::{Kind, Link, inner_hash},
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

    fn check_below(&self, link: Link, prefix: &mut Vec<bool>) -> (usize, usize) {
        match link.kind() {
            Kind::Empty => (0, 0),
            Kind::Leaf(at) => {
                let key = self.leaves.get(at).key;
                assert!(prefix.iter().enumerate().all(|(depth, side)| super::bit(&key, depth) == *side));
                (0, 1)
            }
            Kind::Inner(at) => {
                let node = self.inner.get(at);
                let mut counts = (1, 0);
                for side in [false, true] {
                    prefix.push(side);
                    let (inner, leaves) = self.check_below(node.child(side), prefix);
                    prefix.pop();
                    counts = (counts.0 + inner, counts.1 + leaves);
                }
                assert!(counts.1 >= 2, "an inner node has at least two leaves below it");
                let expected = inner_hash(&self.hash_at(node.left), &self.hash_at(node.right));
                assert_eq!(node.hash, expected, "a node's hash is that of its children");
                counts
            }
        }
    }
}
