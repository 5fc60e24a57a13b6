use super::*;
use opensky_ports::testing::MemoryBlobs;
use opensky_types::{samples, service::SaveId};
use std::os::unix::fs::MetadataExt;

const MIB: u64 = 1 << 20;

struct Setup {
    _dir: tempfile::TempDir,
    folders: VolumeFolders,
    blobs: MemoryBlobs,
}

fn me() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

fn setup() -> Setup {
    let dir = tempfile::tempdir().unwrap();
    let folders = VolumeFolders::new(dir.path().join("volumes"), me()).unwrap();
    Setup { _dir: dir, folders, blobs: MemoryBlobs::new(64 * MIB) }
}

fn replica(generation: u64) -> ReplicaId {
    ReplicaId { generation, ..samples::replica() }
}

fn volumes() -> Vec<Volume> {
    let volume = |name: &str| Volume { name: name.into(), path: format!("/{name}"), size_bytes: MIB };
    vec![volume("data"), volume("log")]
}

impl Setup {
    fn begin(&self, generation: u64, saved: Option<Saved>) -> Result<Vec<PathBuf>, VolumeError> {
        self.folders.begin(replica(generation), (&volumes(), &[]), saved, &self.blobs)
    }

    fn pack(&self, generation: u64) -> Result<Saved, VolumeError> {
        let blob = self.folders.pack(replica(generation), &self.blobs)?;
        Ok(Saved { id: SaveId { generation, count: 1 }, blob, at: samples::NOW })
    }

    /// What another node sends, and what becomes of it here.
    fn receive(&self, archive: &[u8]) -> Result<Vec<PathBuf>, VolumeError> {
        let blob = self.blobs.put(archive).unwrap();
        self.begin(9, Some(Saved { id: SaveId { generation: 8, count: 1 }, blob, at: samples::NOW }))
    }
}

/// The same blobs on another node.
fn moved(from: Setup) -> Setup {
    Setup { blobs: from.blobs, ..setup() }
}

#[test]
fn c10_what_is_packed_here_is_the_same_there() {
    let here = setup();
    let paths = here.begin(1, None).unwrap();
    fs::create_dir_all(paths[0].join("a/b")).unwrap();
    fs::write(paths[0].join("a/b/file"), "content").unwrap();
    fs::set_permissions(paths[0].join("a/b/file"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(paths[0].join("a"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(paths[0].join("a/empty"), "").unwrap();
    std::os::unix::fs::symlink("../elsewhere", paths[0].join("link")).unwrap();
    fs::write(paths[1].join("x".repeat(200)), vec![7; 100_000]).unwrap();
    let saved = here.pack(1).unwrap();
    // The same files make the same bytes.
    assert_eq!(here.pack(1).unwrap().blob, saved.blob);

    let there = moved(here);
    let paths = there.begin(2, Some(saved)).unwrap();
    assert_eq!(fs::read_to_string(paths[0].join("a/b/file")).unwrap(), "content");
    assert_eq!(paths[0].join("a/b/file").metadata().unwrap().mode() & 0o7777, 0o640);
    assert_eq!(paths[0].join("a").metadata().unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::read_link(paths[0].join("link")).unwrap(), Path::new("../elsewhere"));
    assert_eq!(fs::read(paths[1].join("x".repeat(200))).unwrap().len(), 100_000);
    assert_eq!(there.pack(2).unwrap().blob, saved.blob);
}

#[test]
fn c10_what_is_here_goes_on_unless_a_later_one_was_saved() {
    let setup = setup();
    let file = |paths: &[PathBuf]| paths[0].join("file");
    fs::write(file(&setup.begin(1, None).unwrap()), "first").unwrap();
    let first = setup.pack(1).unwrap();
    // What was written after the save is newer.
    fs::write(file(&setup.begin(2, Some(first)).unwrap()), "second").unwrap();
    assert_eq!(fs::read_to_string(file(&setup.begin(3, Some(first)).unwrap())).unwrap(), "second");
    let later = Saved { id: SaveId { generation: 7, count: 1 }, ..first };
    assert_eq!(fs::read_to_string(file(&setup.begin(8, Some(later)).unwrap())).unwrap(), "first");
    // Only the replica that runs, or ran last, is packed.
    assert!(matches!(setup.pack(7), Err(VolumeError::NotHere(_))));
    // Nor is anything of it removed for an earlier one.
    setup.folders.forget(replica(7)).unwrap();
    assert!(setup.pack(8).is_ok());
    setup.folders.forget(replica(8)).unwrap();
    assert!(matches!(setup.pack(8), Err(VolumeError::NotHere(_))));
    assert!(!file(&setup.begin(9, None).unwrap()).exists());
}

#[test]
fn c10_what_has_not_changed_is_not_packed_again() {
    let setup = setup();
    let paths = setup.begin(1, None).unwrap();
    fs::write(paths[0].join("file"), "one").unwrap();
    assert_eq!(setup.folders.unchanged(replica(1), &setup.blobs).unwrap(), None);
    let saved = setup.pack(1).unwrap();
    assert_eq!(setup.folders.unchanged(replica(1), &setup.blobs).unwrap(), Some(saved.blob));
    fs::write(paths[0].join("file"), "two").unwrap();
    assert_eq!(setup.folders.unchanged(replica(1), &setup.blobs).unwrap(), None);
}

#[test]
fn j4_volumes_hold_no_more_than_they_may() {
    let setup = setup();
    let paths = setup.begin(1, None).unwrap();
    fs::write(paths[0].join("file"), vec![0; MIB as usize]).unwrap();
    setup.folders.check(replica(1)).unwrap();
    fs::write(paths[0].join("more"), "x").unwrap();
    let full = setup.folders.check(replica(1)).unwrap_err();
    assert_eq!(full.to_string(), "volume 'data' is full: it holds 1048576 bytes");
    // It is saved all the same: the next revision may give it more.
    assert!(setup.pack(1).is_ok());
    fs::remove_file(paths[0].join("file")).unwrap();
    let mut deep = paths[1].clone();
    for _ in 0..=DEPTH_MAX {
        deep.push("d");
    }
    fs::create_dir_all(deep).unwrap();
    assert!(matches!(setup.folders.check(replica(1)), Err(VolumeError::TooMany)));
}

#[test]
fn j4_links_lead_nowhere_while_volumes_are_packed() {
    let setup = setup();
    let paths = setup.begin(1, None).unwrap();
    let secret = setup._dir.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "nobody may read this").unwrap();
    std::os::unix::fs::symlink(&secret, paths[0].join("folder")).unwrap();
    std::os::unix::fs::symlink(secret.join("key"), paths[0].join("file")).unwrap();
    let saved = setup.pack(1).unwrap();
    let archive = setup.blobs.get(&saved.blob.hash, MIB).unwrap().unwrap();
    assert!(!archive.windows(20).any(|bytes| bytes == b"nobody may read this"));
    // A volume that is itself a link is none.
    fs::remove_dir_all(&paths[1]).unwrap();
    std::os::unix::fs::symlink(&secret, &paths[1]).unwrap();
    let saved = setup.pack(1).unwrap();
    let archive = setup.blobs.get(&saved.blob.hash, MIB).unwrap().unwrap();
    assert!(!archive.windows(20).any(|bytes| bytes == b"nobody may read this"));
}

/// Name, kind, content or target, and the size that the head says.
type Entry<'a> = (&'a [u8], tar::EntryType, &'a [u8], u64);

fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content, size) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_mode(0o4777);
        header.set_mtime(1);
        header.set_uid(0);
        header.set_gid(0);
        let is_link = matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link);
        header.set_size(if is_link { 0 } else { *size });
        if is_link {
            header.set_link_name_literal(content).unwrap();
        }
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        if !is_link {
            bytes.extend_from_slice(content);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
    }
    bytes.resize(bytes.len() + 1_024, 0);
    bytes
}

#[test]
fn j4_an_archive_of_a_stranger_leaves_no_trace_outside() {
    use tar::EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};
    let folder = (b"data".as_slice(), Directory, b"".as_slice(), 0);
    let hostile: &[&[Entry<'_>]] = &[
        &[(b"../escape", Regular, b"x", 1)],
        &[(b"/etc/escape", Regular, b"x", 1)],
        &[folder, (b"data/../../escape", Regular, b"x", 1)],
        &[folder, (b"data/link", Symlink, b"/tmp", 0), (b"data/link/escape", Regular, b"x", 1)],
        &[folder, (b"data/link", Symlink, b"..", 0), (b"data/link/escape", Directory, b"", 0)],
        &[(b"data", Symlink, b"/tmp", 0), (b"data/escape", Regular, b"x", 1)],
        &[folder, (b"data/hard", Link, b"/etc/passwd", 0)],
        &[folder, (b"data/device", Char, b"", 0)],
        &[folder, (b"data/device", Block, b"", 0)],
        &[folder, (b"data/pipe", Fifo, b"", 0)],
        &[folder, (b"data/file", Regular, b"x", 1), (b"data/file", Regular, b"y", 1)],
        &[folder, (b"data/file", Regular, b"x", 1), (b"data/file/below", Regular, b"y", 1)],
        &[(b"data/file", Regular, b"x", 1)],
        &[(b"data", Regular, b"x", 1)],
        &[folder, (b"data/cut", Regular, b"x", 4_000)],
        &[folder, (b"data/large", Regular, b"x", 2 * MIB)],
    ];
    for entries in hostile {
        let setup = setup();
        let refused = setup.receive(&archive(entries)).expect_err("it is refused");
        let is_named = matches!(refused, VolumeError::Malformed(_) | VolumeError::Full { .. });
        assert!(is_named, "{entries:?}: {refused}");
        let outside: Vec<_> =
            fs::read_dir(setup._dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(outside, [setup._dir.path().join("volumes")], "{entries:?}");
    }
    // What is no archive at all.
    assert!(matches!(setup().receive(&[b'x'; 600]), Err(VolumeError::Malformed(_))));
    // Rights beyond reading, writing and running are not taken over.
    let setup = setup();
    let paths = setup.receive(&archive(&[folder, (b"data/file", Regular, b"x", 1)])).unwrap();
    assert_eq!(paths[0].join("file").metadata().unwrap().mode() & 0o7777, 0o777);
}

#[test]
fn j4_names_of_strangers_take_no_memory() {
    use tar::EntryType::{GNULongLink, GNULongName, GNUSparse, Regular, XHeader};
    let long = vec![b'x'; 1 << 20];
    for kind in [GNULongName, GNULongLink, XHeader] {
        let entries = [(b"data".as_slice(), kind, long.as_slice(), long.len() as u64)];
        let refused = setup().receive(&archive(&entries)).expect_err("it is refused");
        assert!(matches!(refused, VolumeError::Malformed(_)), "{kind:?}: {refused}");
    }
    let entries =
        [(b"data/file".as_slice(), GNUSparse, b"x".as_slice(), 1), (b"data".as_slice(), Regular, b"x", 1)];
    assert!(matches!(setup().receive(&archive(&entries)), Err(VolumeError::Malformed(_))));
}

#[test]
fn c10_a_volume_that_a_revision_has_no_more_is_there_for_whoever_goes_back() {
    let here = setup();
    let paths = here.begin(1, None).unwrap();
    fs::write(paths[1].join("file"), "of the log").unwrap();
    let first = here.pack(1).unwrap();
    let there = moved(here);
    let (data, log) = (&volumes()[..1], &volumes()[1..]);
    let paths = there.folders.begin(replica(2), (data, log), Some(first), &there.blobs).unwrap();
    assert_eq!(paths.len(), 1);
    let second = there.pack(2).unwrap();
    let back = moved(there);
    let paths = back.begin(3, Some(second)).unwrap();
    assert_eq!(fs::read_to_string(paths[1].join("file")).unwrap(), "of the log");
}

#[test]
fn c10_volumes_of_slots_that_run_nowhere_are_removed_after_a_week() {
    let day = Duration::from_secs(24 * 60 * 60);
    let dir = tempfile::tempdir().unwrap();
    let blobs = MemoryBlobs::new(MIB);
    let open = || VolumeFolders::new(dir.path().join("volumes"), me()).unwrap();
    let folders = open();
    folders.begin(replica(1), (&volumes(), &[]), None, &blobs).unwrap();
    let folder = folders.folder(replica(1).service, 0);
    let aged = |days: u32| {
        let generation = fs::File::options().write(true).open(folder.join(GENERATION)).unwrap();
        generation.set_modified(SystemTime::now() - days * day).unwrap();
    };
    // One that runs is in use, and a save notes that.
    aged(8);
    folders.remove_old(SystemTime::now()).unwrap();
    folders.pack(replica(1), &blobs).unwrap();
    assert!(open().folder(replica(1).service, 0).exists());
    // What was cut off in the midst is removed at the next start, and what is left after a week.
    fs::create_dir(folder.with_extension("new")).unwrap();
    fs::create_dir(folder.with_extension("old-1")).unwrap();
    aged(6);
    open();
    assert!(
        folder.exists() && !folder.with_extension("new").exists() && !folder.with_extension("old-1").exists()
    );
    aged(8);
    open();
    assert!(!folder.exists());
}

#[test]
fn c10_volumes_that_were_given_up_go_on_where_they_are_asked_for() {
    let setup = setup();
    let paths = setup.begin(1, None).unwrap();
    fs::write(paths[0].join("file"), "nobody else has it").unwrap();
    setup.folders.give_up(replica(1)).unwrap();
    assert!(matches!(setup.pack(1), Err(VolumeError::NotHere(_))));
    let paths = setup.begin(2, None).unwrap();
    assert_eq!(fs::read_to_string(paths[0].join("file")).unwrap(), "nobody else has it");
    assert!(!setup.folders.folder(replica(1).service, 0).join(GIVEN_UP).exists());
}
