//! The configuration of an image: how its program starts. Everything else is left out: volumes would be
//! disk without a limit, health checks would be programs of their own.

use super::ArchiveError;
use serde::{Deserialize, Serialize};

/// The parts of a configuration that are kept.
#[derive(Debug, Deserialize, Serialize)]
pub struct ImageConfig {
    architecture: String,
    os: String,
    #[serde(default)]
    config: Start,
    rootfs: RootFs,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Start {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    env: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entrypoint: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cmd: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    working_dir: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// Checks what the image runs on; returns the configuration for the engine, and the hashes of the layers.
pub fn clean(config: ImageConfig, arch: &str) -> Result<(Vec<u8>, Vec<String>), ArchiveError> {
    if config.os != "linux" || config.architecture != arch {
        let shown = |text: &str| text.escape_debug().take(40).collect::<String>();
        let found = format!("{}/{}", shown(&config.os), shown(&config.architecture));
        return Err(ArchiveError::Platform { found, wanted: format!("linux/{arch}") });
    }
    let folder = config.config.working_dir.as_deref().unwrap_or_default();
    let leads_out = |part: &str| matches!(part, ".." | "proc" | "sys");
    if !folder.is_empty() && (!folder.starts_with('/') || folder.split('/').any(leads_out)) {
        return Err(ArchiveError::Malformed("its working folder is no folder of its own".into()));
    }
    if config.rootfs.kind != "layers" {
        return Err(ArchiveError::Malformed("its root is not made of layers".into()));
    }
    let bytes = serde_json::to_vec(&config).expect("strings become JSON");
    Ok((bytes, config.rootfs.diff_ids))
}
