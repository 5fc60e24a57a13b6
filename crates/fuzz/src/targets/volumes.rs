//! Archives of volumes as another node packed them: refused, or unpacked inside their folder and packed again as they
//! were.

use crate::{Seeds, folder};
use opensky_executor::volumes::VolumeFolders;
use opensky_ports::{blobs::BlobStore, testing::MemoryBlobs};
use opensky_types::{
    job::Blob,
    samples,
    service::{ReplicaId, SaveId, Saved, Volume},
};
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// Bytes of a block of an archive.
const BLOCK_BYTES: usize = 512;

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    let blobs = MemoryBlobs::new(64 << 20);
    let archive = blobs.put(&with_sums(bytes)).expect("there is room");
    let Some(packed) = unpack_and_pack(archive, &blobs) else { return };
    let again = unpack_and_pack(packed, &blobs).expect("what is packed here is unpacked");
    assert!(again == packed, "the same files are packed to other bytes");
}

/// What comes out of an archive, packed; none if it was refused.
fn unpack_and_pack(archive: Blob, blobs: &MemoryBlobs) -> Option<Blob> {
    let place = folder::new();
    let owner = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let folders =
        VolumeFolders::new(place.path().join("volumes"), owner).expect("a new folder has no volumes");
    let replica = ReplicaId { generation: 9, ..samples::replica() };
    let saved = Saved { id: SaveId { generation: 8, count: 1 }, blob: archive, at: samples::NOW };
    let began = folders.begin(replica, (&volumes(), &[]), Some(saved), blobs);
    assert!(names_in(place.path()) == ["volumes"], "something got out of the folder of all volumes");
    let paths = began.ok()?;
    let data = paths[0].parent().expect("a volume is in a folder");
    assert!(names_in(data) == ["data", "logs"], "something got out of its volume");
    Some(folders.pack(replica, blobs).expect("what was unpacked can be packed"))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("it is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("it is read").file_name();
    let mut names: Vec<String> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

fn volumes() -> [Volume; 2] {
    ["data", "logs"].map(|name| Volume { name: name.into(), path: format!("/{name}"), size_bytes: 1 << 20 })
}

/// The same bytes with right sums in all heads, which a fuzzer does not guess.
fn with_sums(bytes: &[u8]) -> Vec<u8> {
    let (mut archive, mut at) = (bytes.to_vec(), 0_usize);
    while let Some(block) = archive.get_mut(at..at.saturating_add(BLOCK_BYTES)) {
        let mut size_bytes = 0;
        if block.iter().any(|byte| *byte != 0) {
            let mut header = Header::from_byte_slice(block).clone();
            header.set_cksum();
            size_bytes = header.entry_size().unwrap_or(0);
            block.copy_from_slice(header.as_bytes());
        }
        let blocks = 1 + usize::try_from(size_bytes).unwrap_or(usize::MAX).div_ceil(BLOCK_BYTES);
        at = at.saturating_add(blocks.saturating_mul(BLOCK_BYTES));
    }
    archive
}

/// First inputs: what is in volumes, and names and links that lead elsewhere.
pub fn seeds() -> Seeds {
    let file = |name: &str| archive(&[entry(name, EntryType::Regular, "", b"hello")]);
    let folder = |name: &str| entry(name, EntryType::Directory, "", b"");
    let long = "n".repeat(120);
    crate::seeds([
        ("file", archive(&[folder("data"), entry("data/a", EntryType::Regular, "", b"hello")])),
        (
            "folders",
            archive(&[folder("data"), folder("data/b"), entry("data/b/c", EntryType::Symlink, "../a", b"")]),
        ),
        (
            "long_name",
            archive(&[
                folder("logs"),
                entry("././@LongLink", EntryType::GNULongName, "", format!("logs/{long}").as_bytes()),
                entry("logs/n", EntryType::Regular, "", b"x"),
            ]),
        ),
        ("out", file("../a")),
        ("root", file("/data/a")),
        (
            "through_a_link",
            archive(&[
                folder("data"),
                entry("data/l", EntryType::Symlink, "/", b""),
                entry("data/l/a", EntryType::Regular, "", b"x"),
            ]),
        ),
        ("device", archive(&[folder("data"), entry("data/d", EntryType::Char, "", b"")])),
    ])
}

type Entry = (Header, Vec<u8>);

/// An entry of any name, also of one that no honest program would write.
fn entry(name: &str, kind: EntryType, link: &str, content: &[u8]) -> Entry {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(1_800_000_000);
    header.set_size(content.len() as u64);
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    (header, content.to_vec())
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (header, content) in entries {
        builder.append(header, content.as_slice()).expect("writing to memory");
    }
    builder.into_inner().expect("writing to memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_inputs_are_unpacked_where_they_lead_nowhere_else() {
        for (name, bytes) in seeds() {
            assert!(with_sums(&bytes) == bytes, "{name}");
            let blobs = MemoryBlobs::new(64 << 20);
            let archive = blobs.put(&bytes).expect("there is room");
            let is_honest = ["file", "folders", "long_name"].contains(&name.as_str());
            assert_eq!(unpack_and_pack(archive, &blobs).is_some(), is_honest, "{name}");
        }
    }
}
