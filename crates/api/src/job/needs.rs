//! What programs in containers need, and what nodes offer of it.

use opensky_types::{
    Hash,
    job::{GpuNeed, GpuVendor, ImageRef, Isolation, Needs},
    offer::ContainerOffer,
    resources::TaskLimits,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What stands for a hash that is not there. No content has it.
pub(crate) const fn no_hash() -> Hash {
    Hash::from_bytes([0; 32])
}

/// What a program in a container needs beside a processor, memory and files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NeedsView {
    /// The image, where its host is to take it from a registry. Then its hash and size are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageRef>,
    /// What keeps it from its host.
    pub isolation: Isolation,
    /// GPUs that are its own while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<GpuNeedView>,
}

/// GPUs, all of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuNeedView {
    /// How many, 1 to 16.
    pub count: u8,
    /// Memory of each, in bytes; 0: any.
    #[serde(default)]
    pub memory_bytes_min: u64,
    /// Who made them. Absent: anyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<GpuVendor>,
    /// A part of their name, whatever its case; empty: any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
}

impl NeedsView {
    /// Whether it is nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Limits of a program with these needs: fuel that was left at its default would end what GPUs do within a minute.
    pub(super) fn limits(&self, given: TaskLimits) -> TaskLimits {
        let gpus = self.gpus.as_ref().map_or(0, |gpus| gpus.count);
        let is_left = gpus > 0 && given.fuel == TaskLimits::default().fuel;
        let fuel = if is_left { TaskLimits::fuel_of_time(given.wall_ms, gpus) } else { given.fuel };
        TaskLimits { fuel, ..given }
    }

    /// The hash and size that a program with these needs goes by: its own, or those of an image in a registry.
    pub fn content(&self, hash: Hash, size_bytes: u64) -> (Hash, u64) {
        self.image.as_ref().map_or((hash, size_bytes), |image| (image.hash(), 0))
    }
}

impl From<NeedsView> for Needs {
    fn from(NeedsView { image, isolation, gpus }: NeedsView) -> Self {
        let gpus = gpus.map(|GpuNeedView { count, memory_bytes_min, vendor, model }| GpuNeed {
            count,
            memory_bytes_min,
            vendor,
            model: model.to_lowercase(),
        });
        Self { image, isolation, gpus }
    }
}

impl From<Needs> for NeedsView {
    fn from(Needs { image, isolation, gpus }: Needs) -> Self {
        let gpus = gpus.map(|GpuNeed { count, memory_bytes_min, vendor, model }| GpuNeedView {
            count,
            memory_bytes_min,
            vendor,
            model,
        });
        Self { image, isolation, gpus }
    }
}

/// What containers find at a node beside a processor, memory and files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContainerOfferView {
    /// Isolations that can be asked for.
    pub isolations: Vec<Isolation>,
    /// Registries, or parts of them, that it takes images from.
    pub registries: Vec<String>,
    /// GPUs that a program can have, by their places in the machine's list.
    pub gpus: Vec<u8>,
}

impl From<ContainerOffer> for ContainerOfferView {
    fn from(ContainerOffer { isolations, registries, gpus }: ContainerOffer) -> Self {
        Self { isolations, registries, gpus }
    }
}
