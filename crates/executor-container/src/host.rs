//! What tasks and services have in common: one engine, its images, and whose containers they are.

use crate::{engine::Watch, gpus::InUse, images::Images};
use opensky_ports::blobs::BlobStore;
use std::sync::Arc;

/// Shared by all that runs containers on this node.
pub struct Host {
    pub watch: Arc<Watch>,
    pub images: Images,
    pub blobs: Arc<dyn BlobStore>,
    /// GPUs that containers have now.
    pub gpus: InUse,
    /// Names this node among others that use the same engine.
    pub owner: String,
}
