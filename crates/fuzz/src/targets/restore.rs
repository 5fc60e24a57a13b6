//! A snapshot on its way in: manifests and chunks of whoever sends them. The true one is in four parts.

use crate::{Seeds, small};
use opensky_ledger::{
    snapshot::{Added, Chunk, Manifest, Prefix, Record, Restore},
    tree::{Tree, key_hash},
};
use opensky_types::{Hash, codec};
use std::sync::LazyLock;

static PARTS: LazyLock<Parts> = LazyLock::new(Parts::new);

const HEIGHT: u64 = 1;
/// The bits that the parts' prefixes have.
const BITS: u16 = 2;

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    PARTS.check(bytes);
}

/// First inputs.
pub fn seeds() -> Seeds {
    PARTS.seeds()
}

/// A state and its snapshot, cut finer than the ledger would.
struct Parts {
    tree: Tree,
    records: Vec<Record>,
    manifest: Manifest,
    chunks: Vec<Vec<u8>>,
}

impl Parts {
    /// The parts of the small state.
    fn new() -> Self {
        let tree = small::tree();
        let mut records = small::records();
        records.sort_unstable_by_key(|record| key_hash(&record.key));
        // A prefix in its encoding: its length, then the bytes that hold it.
        let prefixes: Vec<Prefix> = (0..1_u8 << BITS)
            .map(|part| (BITS, part << (8 - BITS)))
            .map(|encoded| codec::decode(&codec::encode(&encoded), 3).expect("a prefix"))
            .collect();
        let chunks = prefixes.iter().map(|prefix| codec::encode(&chunk(&tree, &records, *prefix))).collect();
        let manifest = Manifest::new(HEIGHT, tree.root(), prefixes).expect("four quarters are all");
        Self { tree, records, manifest, chunks }
    }

    /// The first byte says which part is sent, or that it is a manifest; the rest is that.
    fn check(&self, bytes: &[u8]) {
        let Some((first, rest)) = bytes.split_first() else { return };
        let index = usize::from(*first);
        if index >= self.chunks.len() {
            self.check_manifest(rest);
            return;
        }
        let mut restore = Restore::new(self.manifest.clone());
        if let Ok(Added::New(records)) = restore.add(index, rest) {
            assert!(self.chunks[index] == rest, "another chunk was accepted");
            assert!(records.iter().all(|record| self.records.contains(record)));
        }
        // Whatever came, the true chunks still make the state.
        let missing: Vec<usize> = restore.missing().collect();
        for index in missing {
            restore.add(index, &self.chunks[index]).expect("a true chunk is accepted");
        }
        assert!(restore.finish().expect("all came").root() == self.tree.root());
    }

    fn check_manifest(&self, bytes: &[u8]) {
        let Ok(manifest) = Manifest::decode(bytes, HEIGHT, &self.tree.root()) else { return };
        assert!(codec::encode(&manifest) == bytes, "a second encoding was accepted");
        // It cuts the state somehow, so chunks of those parts make it.
        let mut restore = Restore::new(manifest.clone());
        for (index, prefix) in manifest.parts().iter().enumerate().take(64) {
            let chunk = chunk(&self.tree, &self.records, *prefix);
            match restore.add(index, &codec::encode(&chunk)) {
                Ok(Added::New(_)) => {}
                // Below a leaf or an empty place a path has no siblings to show.
                Err(_) if chunk.siblings.len() < prefix.len() => return,
                other => panic!("a true chunk: {other:?}"),
            }
        }
        if restore.missing().next().is_none() {
            assert!(restore.finish().expect("all came").root() == self.tree.root());
        }
    }

    fn seeds(&self) -> Seeds {
        let numbered = (0_u8..).zip(&self.chunks);
        let mut seeds: Seeds = numbered
            .map(|(index, chunk)| (format!("chunk_{index}"), [&[index], &chunk[..]].concat()))
            .collect();
        seeds.push(("manifest".to_owned(), [&[0xff], &codec::encode(&self.manifest)[..]].concat()));
        seeds
    }
}

fn chunk(tree: &Tree, records: &[Record], prefix: Prefix) -> Chunk {
    let siblings: Vec<Hash> = tree.prove(prefix.first()).siblings.into_iter().take(prefix.len()).collect();
    let is_in = |record: &&Record| prefix.holds(&key_hash(&record.key));
    Chunk { prefix, siblings, records: records.iter().filter(is_in).cloned().collect() }
}
