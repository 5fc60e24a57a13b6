//! Making a snapshot of a state.

use super::{CHUNK_BYTES, Chunk, Manifest, ManifestError, Prefix, Record};
use crate::tree::{self, Tree};
use opensky_types::Hash;
use std::ops::Range;

/// A state that was cut into chunks. Entries are encoded when their chunk is made, not before: what
/// is kept is a key hash and the caller's own name `K` for each entry.
#[derive(Debug)]
pub struct Cut<K> {
    manifest: Manifest,
    entries: Vec<(Hash, K)>,
    ranges: Vec<Range<usize>>,
}

impl<K> Cut<K> {
    /// Cuts the state whose tree is `tree`. `names` names every entry of it; `record` encodes the one
    /// it is given, and must do so in the same way when the chunks are made.
    pub fn new(
        height: u64,
        tree: &Tree,
        names: impl IntoIterator<Item = K>,
        record: impl Fn(&K) -> Record,
    ) -> Result<Self, ManifestError> {
        let mut sized: Vec<(Hash, usize, K)> = names
            .into_iter()
            .map(|name| {
                let record = record(&name);
                (tree::key_hash(&record.key), record.size_bytes(), name)
            })
            .collect();
        sized.sort_unstable_by_key(|(hash, _, _)| *hash);
        let mut ends = Vec::with_capacity(sized.len() + 1);
        ends.push(0);
        let mut entries = Vec::with_capacity(sized.len());
        for (hash, size_bytes, name) in sized {
            ends.push(ends[entries.len()] + size_bytes);
            entries.push((hash, name));
        }
        let (mut parts, mut ranges) = (Vec::new(), Vec::new());
        cut(&entries, &ends, Prefix::ALL, 0..entries.len(), &mut |part, range| {
            parts.push(part);
            ranges.push(range);
        });
        Ok(Self { manifest: Manifest::new(height, tree.root(), parts)?, entries, ranges })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Chunk `index` of the manifest, from the tree and the entries that were cut; `None` behind the
    /// last.
    pub fn chunk(&self, tree: &Tree, index: usize, record: impl Fn(&K) -> Record) -> Option<Chunk> {
        let (prefix, range) = (*self.manifest.parts().get(index)?, self.ranges.get(index)?.clone());
        Some(Chunk {
            prefix,
            siblings: tree.siblings_above(prefix.first(), prefix.len()),
            records: self.entries[range].iter().map(|(_, name)| record(name)).collect(),
        })
    }
}

/// Halves a part while its records are too many for one chunk.
fn cut<K>(
    entries: &[(Hash, K)],
    ends: &[usize],
    part: Prefix,
    range: Range<usize>,
    done: &mut impl FnMut(Prefix, Range<usize>),
) {
    let size_bytes = ends[range.end] - ends[range.start];
    if range.len() <= 1 || size_bytes <= CHUNK_BYTES {
        return done(part, range);
    }
    let [left, right] = part.halves();
    let middle = range.start + entries[range.clone()].partition_point(|(key, _)| key < right.first());
    cut(entries, ends, left, range.start..middle, done);
    cut(entries, ends, right, middle..range.end, done);
}
