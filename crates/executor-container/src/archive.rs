//! Image archives, as `docker save`, `podman save`, buildah and skopeo write them, read with suspicion.
//!
//! An archive comes from whoever has the work. It is never given to the engine as it is: [`read`] checks it
//! within limits of bytes and entries, layer by layer against the hashes in its configuration, and
//! [`rewrite`] makes a new archive of what was found, under one name of this node's choice, with only that
//! part of the configuration which says how to start the program.

mod config;
mod layers;
mod layout;
pub(crate) mod oci;

use config::clean;
use layers::check_layer;
use layout::{Index, Parts, index};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Most layers of an image: overlay file systems stack no more.
pub const LAYERS_MAX: usize = 127;
/// Most bytes of a JSON document in an archive.
pub(crate) const JSON_BYTES_MAX: u64 = 4 << 20;

/// What an image may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all layers, unpacked.
    pub unpacked_bytes_max: u64,
    /// Files, folders and links of all layers.
    pub entries_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unpacked_bytes_max: 16 << 30, entries_max: 1_000_000 }
    }
}

/// Why an archive is not an image that runs here.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It could not be read.
    #[error("the archive cannot be read")]
    Io(#[from] io::Error),
    /// It is packed as a whole.
    #[error("the archive is compressed; unpack it first (`gunzip`), its layers may stay packed")]
    Compressed,
    /// It is not an image archive.
    #[error("not an image archive: {0}")]
    Malformed(String),
    /// It is for other machines.
    #[error("the image is for {found}, this node runs {wanted}")]
    Platform { found: String, wanted: String },
    /// A layer is not what the configuration says.
    #[error("layer {number} has hash {found}, the image's configuration says {expected}")]
    WrongDigest { number: usize, found: String, expected: String },
    /// It is too large.
    #[error("the image has more than {limit} {what}")]
    TooLarge { limit: u64, what: &'static str },
}

/// An image that was checked.
#[derive(Debug)]
pub struct Image {
    /// The configuration that the engine gets, as JSON.
    config: Vec<u8>,
    /// Where the layers are in the archive, lowest first.
    layers: Vec<Part>,
    /// Bytes of all layers, unpacked.
    pub unpacked_bytes: u64,
}

/// A file in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    offset: u64,
    size_bytes: u64,
}

impl Part {
    fn open<R: Read + Seek>(self, archive: &mut R) -> io::Result<io::Take<&mut R>> {
        archive.seek(SeekFrom::Start(self.offset))?;
        Ok(archive.take(self.size_bytes))
    }

    fn json<R: Read + Seek, T: serde::de::DeserializeOwned>(
        self,
        archive: &mut R,
        what: &str,
    ) -> Result<T, ArchiveError> {
        if self.size_bytes > JSON_BYTES_MAX {
            return Err(ArchiveError::TooLarge { limit: JSON_BYTES_MAX, what: "bytes of JSON in one file" });
        }
        let read = serde_json::from_reader(io::BufReader::new(self.open(archive)?));
        read.map_err(|error| ArchiveError::Malformed(format!("{what}: {error}")))
    }
}

/// Reads and checks an image for machines of `arch`, as Go names it (`amd64`, `arm64`).
pub fn read<R: Read + Seek>(archive: &mut R, arch: &str, limits: &Limits) -> Result<Image, ArchiveError> {
    let files: Index = index(archive)?;
    let Parts { config, layers } = layout::find(archive, &files, arch)?;
    if layers.len() > LAYERS_MAX {
        return Err(ArchiveError::TooLarge { limit: LAYERS_MAX as u64, what: "layers" });
    }
    let (config, diff_ids) = clean(config.json(archive, "the configuration")?, arch)?;
    if diff_ids.len() != layers.len() {
        let problem = format!("{} layers, but {} hashes of layers", layers.len(), diff_ids.len());
        return Err(ArchiveError::Malformed(problem));
    }
    let mut left = *limits;
    for (number, (layer, expected)) in layers.iter().zip(diff_ids).enumerate() {
        let found = check_layer(layer.open(archive)?, &mut left, limits)?;
        if found != expected {
            return Err(ArchiveError::WrongDigest { number, found, expected });
        }
    }
    let unpacked_bytes = limits.unpacked_bytes_max - left.unpacked_bytes_max;
    Ok(Image { config, layers, unpacked_bytes })
}

/// Writes an archive for the engine: the same image under the name `tag`, and nothing else.
pub fn rewrite<R: Read + Seek>(archive: &mut R, image: &Image, tag: &str, out: impl Write) -> io::Result<()> {
    let mut writer = tar::Builder::new(out);
    let name = |number: usize| format!("layer-{number}/layer.tar");
    let layers: Vec<String> = (0..image.layers.len()).map(name).collect();
    let manifest = serde_json::json!([{ "Config": "config.json", "RepoTags": [tag], "Layers": layers }]);
    append(&mut writer, "manifest.json", manifest.to_string().as_bytes())?;
    append(&mut writer, "config.json", &image.config)?;
    for (layer, name) in image.layers.iter().zip(&layers) {
        let mut header = header(layer.size_bytes);
        writer.append_data(&mut header, name, layer.open(archive)?)?;
    }
    writer.into_inner()?.flush()
}

fn append(writer: &mut tar::Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    writer.append_data(&mut header(bytes.len() as u64), name, bytes)
}

fn header(size_bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size_bytes);
    header.set_mode(0o644);
    header
}
