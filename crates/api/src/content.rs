//! Content by reference.

use opensky_types::{Hash, job::Blob, task::Content};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Content by hash and size: what an upload answers and what a job names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    /// BLAKE3 of the content.
    pub hash: Hash,
    /// Its size, in bytes.
    pub size_bytes: u64,
}

impl From<Blob> for BlobRef {
    fn from(blob: Blob) -> Self {
        Self { hash: blob.hash, size_bytes: blob.size_bytes }
    }
}

impl From<BlobRef> for Blob {
    fn from(blob: BlobRef) -> Self {
        Self { hash: blob.hash, size_bytes: blob.size_bytes }
    }
}

/// What a run wrote. Small content comes along, as `text` where it is UTF-8 and else as `hex`;
/// other content is read from [`crate::routes::BLOB`] by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContentView {
    /// BLAKE3 of the content.
    pub hash: Hash,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// The content, if it is small and UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The content in hex, if it is small and not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

impl ContentView {
    /// The bytes, where they came along. `None`: fetch the blob.
    pub fn inline_bytes(&self) -> Option<Vec<u8>> {
        match (&self.text, &self.hex) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(digits)) => hex::decode(digits).ok(),
            (None, None) => None,
        }
    }
}

impl From<&Content> for ContentView {
    fn from(content: &Content) -> Self {
        let (text, hex) = match content {
            Content::Blob(_) => (None, None),
            Content::Inline(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => (Some(text.to_owned()), None),
                Err(_) => (None, Some(hex::encode(bytes))),
            },
        };
        Self { hash: content.hash(), size_bytes: content.size_bytes(), text, hex }
    }
}
