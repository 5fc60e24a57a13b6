//! Where the parts of an image are in its archive.

use super::{
    ArchiveError, Part,
    oci::{INDEX_DEPTH_MAX, OciIndex, OciManifest},
};
use serde::Deserialize;
use std::{
    collections::HashMap,
    io::{Read, Seek, SeekFrom},
};
use tar::EntryType;

/// Most files in an archive: a handful for each layer.
const FILES_MAX: usize = 4_096;
/// Most bytes of a file's name in an archive: a folder, and a hash in hexadecimal.
const NAME_BYTES_MAX: usize = 100;

/// What is in an archive, by name.
pub type Index = HashMap<String, Found>;

/// One name in an archive.
#[derive(Debug)]
pub enum Found {
    File(Part),
    /// Another name of a file; old engines name a layer that is there twice so.
    Link(String),
}

/// The parts of one image.
#[derive(Debug)]
pub struct Parts {
    pub config: Part,
    pub layers: Vec<Part>,
}

/// Lists an archive without reading its files.
pub fn index<R: Read + Seek>(archive: &mut R) -> Result<Index, ArchiveError> {
    let mut magic = [0; 4];
    archive.seek(SeekFrom::Start(0))?;
    archive.read_exact(&mut magic)?;
    if magic[..2] == [0x1f, 0x8b] || magic == [0x28, 0xb5, 0x2f, 0xfd] {
        return Err(ArchiveError::Compressed);
    }
    archive.seek(SeekFrom::Start(0))?;
    let mut files = Index::new();
    // Raw, since reading extensions of names takes as much memory as an archive asks for.
    for entry in tar::Archive::new(archive).entries_with_seek()?.raw(true) {
        let entry = entry?;
        let found = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                Found::File(Part { offset: entry.raw_file_position(), size_bytes: entry.size() })
            }
            EntryType::Symlink | EntryType::Link => {
                let target = entry.header().link_name()?.unwrap_or_default();
                Found::Link(target.to_string_lossy().into_owned())
            }
            EntryType::GNULongName | EntryType::GNULongLink => {
                return Err(ArchiveError::Malformed("a name of over 100 bytes".into()));
            }
            _ => continue,
        };
        let name = entry.header().path()?.to_string_lossy().into_owned();
        let name = name.strip_prefix("./").unwrap_or(&name);
        if name.len() > NAME_BYTES_MAX || files.len() >= FILES_MAX {
            return Err(ArchiveError::TooLarge { limit: FILES_MAX as u64, what: "files in its archive" });
        }
        files.insert(name.to_owned(), found);
    }
    Ok(files)
}

/// The one image in an archive for machines of `arch`.
pub fn find<R: Read + Seek>(archive: &mut R, files: &Index, arch: &str) -> Result<Parts, ArchiveError> {
    match files.get("manifest.json") {
        Some(_) => find_docker(archive, files),
        None => {
            let index: OciIndex = get(files, "index.json")?.json(archive, "index.json")?;
            find_oci(archive, files, index, arch)
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    layers: Vec<String>,
}

fn find_docker<R: Read + Seek>(archive: &mut R, files: &Index) -> Result<Parts, ArchiveError> {
    let images: Vec<DockerImage> = get(files, "manifest.json")?.json(archive, "manifest.json")?;
    let [image] = images.as_slice() else {
        let problem = format!("it holds {} images; save one alone", images.len());
        return Err(ArchiveError::Malformed(problem));
    };
    let layers = image.layers.iter().map(|layer| get(files, layer));
    Ok(Parts { config: get(files, &image.config)?, layers: layers.collect::<Result<_, _>>()? })
}

fn find_oci<R: Read + Seek>(
    archive: &mut R,
    files: &Index,
    mut index: OciIndex,
    arch: &str,
) -> Result<Parts, ArchiveError> {
    for _ in 0..=INDEX_DEPTH_MAX {
        let chosen = index.choose(arch)?;
        let part = blob(files, &chosen.digest)?;
        if chosen.is_index() {
            index = part.json(archive, "an index")?;
            continue;
        }
        let manifest: OciManifest = part.json(archive, "the manifest")?;
        let layers = manifest.layers.iter().map(|layer| blob(files, &layer.digest));
        let layers = layers.collect::<Result<_, _>>()?;
        return Ok(Parts { config: blob(files, &manifest.config.digest)?, layers });
    }
    Err(ArchiveError::Malformed("lists of images within lists".into()))
}

fn blob(files: &Index, digest: &str) -> Result<Part, ArchiveError> {
    get(files, &format!("blobs/{}", digest.replace(':', "/")))
}

fn get(files: &Index, name: &str) -> Result<Part, ArchiveError> {
    let missing = || ArchiveError::Malformed(format!("'{}' is missing", name.escape_debug()));
    match files.get(name).ok_or_else(missing)? {
        Found::File(part) => Ok(*part),
        Found::Link(target) => {
            // Targets are relative to the folder of the link: `../ID/layer.tar`.
            let target = target.trim_start_matches("../");
            match files.get(target) {
                Some(Found::File(part)) => Ok(*part),
                _ => Err(missing()),
            }
        }
    }
}
