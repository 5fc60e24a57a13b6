//! Manifests of images and lists of them, as archives and registries have them (OCI image specification).

use super::ArchiveError;
use serde::Deserialize;

/// How deep lists of images lie within lists.
pub const INDEX_DEPTH_MAX: u8 = 2;

/// A list of images, mostly one for each kind of machine.
#[derive(Deserialize)]
pub struct OciIndex {
    pub manifests: Vec<Descriptor>,
}

/// One file of an image.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: String,
    /// In bytes.
    #[serde(default)]
    pub size: u64,
    platform: Option<Platform>,
}

impl Descriptor {
    /// Whether it is a list of images.
    pub fn is_index(&self) -> bool {
        self.media_type.contains("index") || self.media_type.contains("manifest.list")
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// One image.
#[derive(Deserialize)]
pub struct OciManifest {
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

impl OciIndex {
    /// The only image, or the only one for this machine.
    pub fn choose(&self, arch: &str) -> Result<&Descriptor, ArchiveError> {
        if let [only] = self.manifests.as_slice() {
            return Ok(only);
        }
        let fits = |of: &&Descriptor| {
            of.platform
                .as_ref()
                .is_some_and(|platform| platform.os == "linux" && platform.architecture == arch)
        };
        let fitting: Vec<&Descriptor> = self.manifests.iter().filter(fits).collect();
        match fitting.as_slice() {
            [only] => Ok(only),
            [] => Err(ArchiveError::Platform {
                found: "other machines".into(),
                wanted: format!("linux/{arch}"),
            }),
            several => {
                let problem = format!("it holds {} images for linux/{arch}; save one alone", several.len());
                Err(ArchiveError::Malformed(problem))
            }
        }
    }
}
