//! Volumes of services.

use opensky_types::{
    Timestamp,
    service::{Saved, Volume, Volumes},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Folders of a replica that stay when its program ends. Each slot of the service has its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumesView {
    /// The folders, 1 to 8.
    pub mounts: Vec<VolumeView>,
    /// Time between two saves while the program runs, in milliseconds: a second to a day.
    #[serde(default = "minute")]
    pub save_ms: u64,
    /// How long a host that does not answer is waited for before what was saved last goes on elsewhere, in
    /// milliseconds: at most a day.
    #[serde(default = "minute")]
    pub wait_ms: u64,
}

const fn minute() -> u64 {
    60_000
}

/// One such folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeView {
    /// Its name.
    pub name: String,
    /// Where the program finds it.
    pub path: String,
    /// Most bytes in it.
    pub size_bytes: u64,
}

/// The volumes of a replica as they were at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedView {
    /// When, by the clock of its host.
    pub at: Timestamp,
    /// How much it is, packed.
    pub size_bytes: u64,
    /// Whether the keeper that was asked holds it: it goes on from here if the host is lost.
    pub held: bool,
}

impl SavedView {
    /// A save as a keeper shows it.
    pub fn new(saved: &Saved, held: bool) -> Self {
        Self { at: saved.at, size_bytes: saved.blob.size_bytes, held }
    }
}

impl From<VolumesView> for Volumes {
    fn from(VolumesView { mounts, save_ms, wait_ms }: VolumesView) -> Self {
        let mounts = mounts.into_iter();
        let mounts = mounts.map(|VolumeView { name, path, size_bytes }| Volume { name, path, size_bytes });
        Self { mounts: mounts.collect(), save_ms, wait_ms }
    }
}

impl From<Volumes> for VolumesView {
    fn from(Volumes { mounts, save_ms, wait_ms }: Volumes) -> Self {
        let mounts = mounts.into_iter();
        let mounts = mounts.map(|Volume { name, path, size_bytes }| VolumeView { name, path, size_bytes });
        Self { mounts: mounts.collect(), save_ms, wait_ms }
    }
}
