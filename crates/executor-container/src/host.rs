//! What tasks and services have in common: one engine, its images, and whose containers they are.

use crate::{engine::Watch, images::Images};
use opensky_ports::blobs::BlobStore;
use std::sync::Arc;

/// Shared by all that runs containers on this node.
pub struct Host {
    pub watch: Arc<Watch>,
    pub images: Images,
    pub blobs: Arc<dyn BlobStore>,
    /// Names this node among others that use the same engine.
    pub owner: String,
}
