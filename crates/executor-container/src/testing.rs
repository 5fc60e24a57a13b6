//! Images made from scratch, for tests: no registry is asked.

mod registry;

pub use registry::Registry;

use sha2::{Digest, Sha256};

/// A program for every need, in one file without libraries.
pub const BUSYBOX: &str = "/bin/busybox";

/// A tar of files: name and content.
pub fn tar_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        builder.append_data(&mut header, name, bytes).expect("a tar in memory");
    }
    builder.into_inner().expect("a tar in memory")
}

/// A SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// How this machine's images name its processor.
pub fn arch() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// An image archive as `docker save` writes it.
pub fn archive(layers: &[Vec<u8>], start: serde_json::Value) -> Vec<u8> {
    let ids: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", sha256(layer))).collect();
    let config = serde_json::json!({
        "architecture": arch(), "os": "linux", "config": start,
        "rootfs": { "type": "layers", "diff_ids": ids },
    });
    archive_of(layers, &config)
}

/// The same with any configuration.
pub fn archive_of(layers: &[Vec<u8>], config: &serde_json::Value) -> Vec<u8> {
    let names: Vec<String> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest =
        serde_json::json!([{ "Config": "config.json", "RepoTags": ["debian:latest"], "Layers": names }]);
    let (manifest, config) = (manifest.to_string().into_bytes(), config.to_string().into_bytes());
    let layers = names.iter().zip(layers).map(|(name, layer)| (name.as_str(), layer.as_slice()));
    tar_of(
        [("manifest.json", manifest.as_slice()), ("config.json", config.as_slice())]
            .into_iter()
            .chain(layers),
    )
}

/// An image with busybox in it and nothing else; none where there is no [`BUSYBOX`].
pub fn busybox() -> Option<Vec<u8>> {
    let program = std::fs::read(BUSYBOX).ok()?;
    let mut layer = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    layer.append_data(&mut header, "bin/busybox", program.as_slice()).expect("a tar in memory");
    for name in ["sh", "cat", "echo", "sleep", "true", "false"] {
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        layer.append_link(&mut link, format!("bin/{name}"), "busybox").expect("a tar in memory");
    }
    let layer = layer.into_inner().expect("a tar in memory");
    Some(archive(
        &[layer],
        serde_json::json!({
            "Env": ["PATH=/bin"], "Entrypoint": ["/bin/busybox"], "Cmd": ["echo", "usual"],
            // What must not survive: disk without a limit, a program of its own.
            "Volumes": { "/data": {} }, "User": "0:0",
            "Healthcheck": { "Test": ["CMD", "/bin/busybox", "touch", "/out/checked"], "Interval": 1_000_000 },
        }),
    ))
}
