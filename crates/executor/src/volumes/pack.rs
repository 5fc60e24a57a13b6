//! From folders to one archive: always the same bytes for the same files.

use super::{DEPTH_MAX, ROUNDING_BYTES, VolumeError};
use opensky_types::{
    hash::Hash,
    service::{VOLUME_ENTRIES_MAX, Volume},
};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use std::{
    ffi::{CString, OsStr},
    fs::File,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};
use tar::{Builder, EntryType, Header};

/// Bytes of a block, as file systems count them.
const BLOCK_BYTES: u64 = 512;

/// How files look without being read.
#[derive(Debug)]
pub struct Look {
    /// Another one whenever a file has changed.
    pub state: Hash,
    /// Bytes in all files.
    pub bytes: u64,
    /// Files and folders.
    pub entries: u64,
}

/// One file or folder, as it was found.
struct Found<'a> {
    /// The folder that it is in.
    parent: &'a OwnedFd,
    name: &'a CString,
    /// Its path, from the name of its volume on.
    path: &'a Path,
    stat: Stat,
}

/// Counts what is in volumes, against their limits.
pub fn look(data: &Path, volumes: &[Volume]) -> Result<Look, VolumeError> {
    let mut state: State = Vec::new();
    let (mut all_bytes, mut entries) = (0_u64, 0_u64);
    for volume in volumes {
        let (mut bytes, mut room_bytes, mut files) = (0_u64, 0_u64, 0_u64);
        walk(data, &volume.name, &mut |found| {
            let stat = &found.stat;
            entries += 1;
            files += 1;
            if !FileType::from_raw_mode(stat.st_mode).is_dir() {
                bytes = bytes.saturating_add(stat.st_size as u64);
                room_bytes = room_bytes.saturating_add((stat.st_blocks as u64).saturating_mul(BLOCK_BYTES));
            }
            state.push((
                found.path.as_os_str().as_bytes().to_vec(),
                [stat.st_mode as u64, stat.st_size as u64, stat.st_ino],
                [stat.st_mtime as u64, stat.st_mtime_nsec, stat.st_ctime as u64, stat.st_ctime_nsec],
            ));
            let room_max = volume.size_bytes.saturating_add(files.saturating_mul(ROUNDING_BYTES));
            if bytes > volume.size_bytes || room_bytes > room_max {
                return Err(VolumeError::Full { name: volume.name.clone(), limit_bytes: volume.size_bytes });
            }
            if entries > VOLUME_ENTRIES_MAX { Err(VolumeError::TooMany) } else { Ok(()) }
        })?;
        all_bytes = all_bytes.saturating_add(bytes);
    }
    Ok(Look { state: Hash::of_value("opensky volume state 1", &state), bytes: all_bytes, entries })
}

/// Of each file its path, what it is, and when it changed.
type State = Vec<(Vec<u8>, [u64; 3], [u64; 4])>;

/// Packs volumes into an archive, in order of path.
pub fn pack(data: &Path, volumes: &[Volume], writer: &mut dyn Write) -> Result<(), VolumeError> {
    let mut archive = Builder::new(writer);
    for volume in volumes {
        walk(data, &volume.name, &mut |found| Ok(add(&mut archive, &found)?))?;
    }
    archive.finish()?;
    Ok(())
}

fn add(archive: &mut Builder<&mut dyn Write>, found: &Found<'_>) -> io::Result<()> {
    let stat = &found.stat;
    let mut header = Header::new_gnu();
    header.set_mode(stat.st_mode & 0o777);
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            header.set_entry_type(EntryType::Directory);
            header.set_size(0);
            archive.append_data(&mut header, found.path, io::empty())
        }
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(found.parent, found.name, Vec::new())?;
            header.set_entry_type(EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, found.path, OsStr::from_bytes(target.as_bytes()))
        }
        FileType::RegularFile => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = File::from(rustix::fs::openat(found.parent, found.name, flags, Mode::empty())?);
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return Ok(());
            }
            header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
            header.set_size(metadata.len());
            // A file that gets shorter meanwhile would cut the archive off.
            let whole = file.chain(io::repeat(0)).take(metadata.len());
            archive.append_data(&mut header, found.path, whole)
        }
        // Sockets and pipes are nothing without their program, and there are no devices.
        _ => Ok(()),
    }
}

/// Visits a volume and all below it, each folder before what is in it, in order of name. No link is followed.
fn walk(
    data: &Path,
    volume: &str,
    visit: &mut dyn FnMut(Found<'_>) -> Result<(), VolumeError>,
) -> Result<(), VolumeError> {
    let root = rustix::fs::open(data, folder_flags(), Mode::empty()).map_err(io::Error::from)?;
    let name = CString::new(volume).map_err(io::Error::other)?;
    walk_entry(&root, &name, Path::new(volume), 0, visit)
}

const fn folder_flags() -> OFlags {
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC)
}

fn walk_entry(
    parent: &OwnedFd,
    name: &CString,
    path: &Path,
    depth: usize,
    visit: &mut dyn FnMut(Found<'_>) -> Result<(), VolumeError>,
) -> Result<(), VolumeError> {
    let stat = match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        // It went away meanwhile.
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(error) => return Err(io::Error::from(error).into()),
    };
    visit(Found { parent, name, path, stat })?;
    if !FileType::from_raw_mode(stat.st_mode).is_dir() {
        return Ok(());
    }
    if depth >= DEPTH_MAX {
        return Err(VolumeError::TooMany);
    }
    let folder = match rustix::fs::openat(parent, name, folder_flags(), Mode::empty()) {
        Ok(folder) => folder,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => return Ok(()),
        Err(error) => return Err(io::Error::from(error).into()),
    };
    for name in names(&folder)? {
        let path: PathBuf = path.join(OsStr::from_bytes(name.as_bytes()));
        walk_entry(&folder, &name, &path, depth + 1, visit)?;
    }
    Ok(())
}

fn names(folder: &OwnedFd) -> Result<Vec<CString>, VolumeError> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder).map_err(io::Error::from)? {
        let name = entry.map_err(io::Error::from)?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
        if names.len() as u64 > VOLUME_ENTRIES_MAX {
            return Err(VolumeError::TooMany);
        }
    }
    names.sort_unstable();
    Ok(names)
}
