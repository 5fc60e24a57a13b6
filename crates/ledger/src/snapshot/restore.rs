//! Building a state from a snapshot.

use super::{Chunk, ChunkError, Manifest, Record};
use crate::tree::Tree;
use opensky_types::Hash;

/// A snapshot on its way in. Chunks come in any order; each is checked before anything of it is kept.
#[derive(Debug)]
pub struct Restore {
    manifest: Manifest,
    chunks: Vec<Option<Vec<(Hash, Hash)>>>,
    missing: usize,
}

/// What became of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is proven: its entries belong to the state.
    New(Vec<Record>),
    /// It was here already.
    Known,
}

/// Why a snapshot is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The manifest has no such chunk.
    #[error("chunk {index} of a snapshot of {chunks}")]
    NoSuchChunk { index: usize, chunks: usize },
    /// The chunk is bad.
    #[error("chunk {index}: {source}")]
    Chunk { index: usize, source: ChunkError },
    /// Not all chunks have come.
    #[error("{missing} chunks are missing")]
    Missing { missing: usize },
    /// Every chunk was proven, and yet the root is another: a fault of this program.
    #[error("the tree has root {found}, not {expected}")]
    WrongRoot { expected: Hash, found: Hash },
}

impl Restore {
    /// Begins with a manifest that [`Manifest::decode`] accepted for a trusted header.
    pub fn new(manifest: Manifest) -> Self {
        let count = manifest.parts().len();
        Self { manifest, chunks: vec![None; count], missing: count }
    }

    /// What is being restored.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The chunks that have not come yet.
    pub fn missing(&self) -> impl Iterator<Item = usize> + '_ {
        self.chunks.iter().enumerate().filter(|(_, chunk)| chunk.is_none()).map(|(index, _)| index)
    }

    /// Checks chunk `index` as it arrived. An error means that its sender lies or is broken; the
    /// chunk can be had from another.
    pub fn add(&mut self, index: usize, bytes: &[u8]) -> Result<Added, RestoreError> {
        let chunks = self.chunks.len();
        let part = self.manifest.parts().get(index).ok_or(RestoreError::NoSuchChunk { index, chunks })?;
        let place = self.chunks.get_mut(index).ok_or(RestoreError::NoSuchChunk { index, chunks })?;
        if place.is_some() {
            return Ok(Added::Known);
        }
        let bad = |source| RestoreError::Chunk { index, source };
        let chunk = Chunk::decode(bytes).map_err(bad)?;
        *place = Some(chunk.verify(self.manifest.root(), part).map_err(bad)?);
        self.missing -= 1;
        Ok(Added::New(chunk.records))
    }

    /// The tree, once all chunks are here, built from the bottom in one pass.
    pub fn finish(self) -> Result<Tree, RestoreError> {
        if self.missing > 0 {
            return Err(RestoreError::Missing { missing: self.missing });
        }
        let tree = Tree::from_entries(self.chunks.into_iter().flatten().flatten());
        let (expected, found) = (*self.manifest.root(), tree.root());
        if found == expected { Ok(tree) } else { Err(RestoreError::WrongRoot { expected, found }) }
    }
}
