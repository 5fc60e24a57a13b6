//! Images that this node keeps by name, for jobs that come later.

use crate::{node::Node, settings};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ports::{BlobError, BlobStore, Pin};
use opensky_types::{Timestamp, job::Blob};

/// Most images kept.
pub const IMAGES_MAX: usize = 64;
/// Most bytes of a name.
pub const IMAGE_NAME_BYTES_MAX: usize = 255;

/// An image kept by name.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeptImage {
    /// What jobs call it: `sky:NAME`.
    pub name: String,
    /// Its archive.
    pub blob: Blob,
    /// Since when.
    pub kept_at: Timestamp,
}

/// Why an image is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepImageError {
    /// Not a name.
    #[error("an image's name has 1 to {IMAGE_NAME_BYTES_MAX} bytes, without spaces and control characters")]
    Name,
    /// Too many.
    #[error("{IMAGES_MAX} images are kept, which is the limit; remove one first")]
    TooMany,
    /// Its bytes are not here.
    #[error("blob {0} is not in this node's store; upload it first")]
    BlobMissing(opensky_types::Hash),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// The node stopped.
    #[error(transparent)]
    Gone(#[from] crate::NodeGone),
}

/// Whether `name` can be an image's.
pub(crate) fn check_name(name: &str) -> Result<(), KeepImageError> {
    let is_good = !name.is_empty()
        && name.len() <= IMAGE_NAME_BYTES_MAX
        && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_good { Ok(()) } else { Err(KeepImageError::Name) }
}

/// Pins what is kept. Pins of images are no longer than the store is open.
pub(crate) fn pin_all(images: &[KeptImage], blobs: &dyn BlobStore) {
    for image in images {
        let hash = image.blob.hash;
        if let Err(error) = blobs.pin(Pin::Image(hash), &[hash]) {
            tracing::warn!(image.name, %error, "a kept image is not pinned");
        }
    }
}

impl Node {
    /// Keeps an image whose archive is here; one of the same name is replaced.
    pub(crate) fn keep_image(
        &mut self,
        now: Timestamp,
        name: String,
        blob: Blob,
    ) -> Result<(), KeepImageError> {
        check_name(&name)?;
        let is_new = !self.images.iter().any(|image| image.name == name);
        if is_new && self.images.len() >= IMAGES_MAX {
            return Err(KeepImageError::TooMany);
        }
        self.blobs.pin(Pin::Image(blob.hash), &[blob.hash])?;
        let replaced = self.take_image(&name);
        self.images.push(KeptImage { name, blob, kept_at: now });
        self.images.sort_by(|one, other| one.name.cmp(&other.name));
        self.let_go(replaced);
        self.keep_record(settings::images_record(&self.images));
        Ok(())
    }

    /// Keeps it no longer; `false` if there was none of that name. Jobs that use it are not affected.
    pub(crate) fn remove_image(&mut self, name: &str) -> bool {
        let removed = self.take_image(name);
        let was_there = removed.is_some();
        self.let_go(removed);
        if was_there {
            self.keep_record(settings::images_record(&self.images));
        }
        was_there
    }

    fn take_image(&mut self, name: &str) -> Option<KeptImage> {
        let position = self.images.iter().position(|image| image.name == name)?;
        Some(self.images.remove(position))
    }

    /// Unpins an archive that no name stands for any more.
    fn let_go(&self, image: Option<KeptImage>) {
        let Some(image) = image.filter(|gone| !self.images.iter().any(|kept| kept.blob == gone.blob)) else {
            return;
        };
        if let Err(error) = self.blobs.unpin(Pin::Image(image.blob.hash)) {
            tracing::warn!(image.name, %error, "a removed image is still pinned");
        }
    }
}
