//! The whole state in chunks, each of which proves itself.
//!
//! A chunk holds every entry whose key hash starts with some bits (its [`Prefix`]), and the hashes
//! beside that subtree up to the root. So a receiver that knows the state root of a certified header
//! checks each chunk by itself, in any order, from any peer: the first wrong, missing or added entry
//! is found in the chunk that has it, before it is used, and names the peer that sent it. Hashes of
//! chunks in the manifest would add nothing to that, and they would have to be believed until the end.
//!
//! The manifest says only how the key space was cut. Whether the cut leaves a gap is arithmetic, done
//! before the first chunk is asked for; a cut that does not fit the tree fails with its first chunk.
//! Chunks follow the state, not equal prefixes, since anyone can make many keys with the same first
//! bits: a chunk is cut in two while it is over [`CHUNK_BYTES`].

mod chunk;
mod cut;
mod manifest;
mod prefix;
mod restore;

pub use chunk::{CHUNK_BYTES, CHUNK_BYTES_MAX, Chunk, ChunkError, Record};
pub use cut::Cut;
pub use manifest::{CHUNKS_MAX, MANIFEST_BYTES_MAX, Manifest, ManifestError};
pub use prefix::Prefix;
pub use restore::{Added, Restore, RestoreError};
