//! Images that a node keeps by name.

use crate::content::BlobRef;
use opensky_types::{Hash, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The images of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Images {
    /// In order of name.
    pub images: Vec<ImageView>,
}

/// An image kept by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageView {
    /// What jobs call it, after `sky:`.
    pub name: String,
    /// Its archive, by hash.
    pub hash: Hash,
    /// Size of the archive, in bytes.
    pub size_bytes: u64,
    /// Since when it is kept.
    pub kept_at: Timestamp,
}

impl ImageView {
    /// The archive, as jobs name it.
    pub fn blob(&self) -> BlobRef {
        BlobRef { hash: self.hash, size_bytes: self.size_bytes }
    }
}

/// An image to keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepImageRequest {
    /// What to call it: 1 to 255 bytes, without spaces. One of the same name is replaced.
    pub name: String,
    /// Its archive, uploaded before.
    pub hash: Hash,
}

/// Which image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImageQuery {
    /// Its name.
    pub name: String,
}
