//! Images kept by name.

use super::{Handle, NodeGone};
use crate::{
    fetch::blocking,
    images::{KeepImageError, KeptImage, check_name},
    requests::Request,
};
use opensky_types::{Hash, job::Blob};
use std::sync::Arc;

impl Handle {
    /// The images that this node keeps, in order of name.
    pub async fn images(&self) -> Result<Vec<KeptImage>, NodeGone> {
        self.ask(Request::Images).await
    }

    /// Keeps an image by name until it is removed; returns its size. Its archive was uploaded before.
    pub async fn keep_image(&self, name: String, hash: Hash) -> Result<Blob, KeepImageError> {
        check_name(&name)?;
        let blobs = Arc::clone(&self.blobs);
        let found = blocking(move || blobs.open(&hash)).await?;
        let Some(size_bytes) = found.map(|reader| reader.size_bytes()) else {
            return Err(KeepImageError::BlobMissing(hash));
        };
        let blob = Blob { hash, size_bytes };
        self.ask(|answer| Request::KeepImage { name, blob, answer }).await??;
        self.ask(Request::OnDisk).await?;
        Ok(blob)
    }

    /// Keeps it no longer; `false` if there was none of that name.
    pub async fn remove_image(&self, name: String) -> Result<bool, NodeGone> {
        let was_there = self.ask(|answer| Request::RemoveImage { name, answer }).await?;
        self.ask(Request::OnDisk).await?;
        Ok(was_there)
    }
}
