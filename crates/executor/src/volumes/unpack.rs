//! From an archive to folders. Whoever made it may be anybody: nothing leads out of the folders, and all is counted.

use super::{DEPTH_MAX, VolumeError};
use opensky_types::service::{VOLUME_ENTRIES_MAX, Volume};
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path},
};
use tar::EntryType;

/// Most bytes of a path, and of where a link points.
const LINK_BYTES_MAX: usize = 4_096;

/// Unpacks volumes into a folder that is empty; all of it belongs to `owner`.
pub fn unpack(
    archive: impl Read,
    volumes: &[Volume],
    data: &Path,
    owner: (u32, u32),
) -> Result<(), VolumeError> {
    let root = rustix::fs::open(data, folder_flags(), Mode::empty()).map_err(io::Error::from)?;
    let mut left: Vec<u64> = volumes.iter().map(|volume| volume.size_bytes).collect();
    let mut entries = 0_u64;
    let mut archive = tar::Archive::new(archive);
    // Longer names come before the entry that they are of.
    let (mut long_name, mut long_link) = (None, None);
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry.map_err(malformed)?;
        entries += 1;
        if entries > 3 * VOLUME_ENTRIES_MAX {
            return Err(VolumeError::TooMany);
        }
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                long_name = Some(text_of(&mut entry)?);
                continue;
            }
            EntryType::GNULongLink => {
                long_link = Some(text_of(&mut entry)?);
                continue;
            }
            _ => {}
        }
        let (name, link) = (long_name.take(), long_link.take());
        let name = name.unwrap_or_else(|| entry.path_bytes().into_owned());
        let path = Path::new(OsStr::from_bytes(&name));
        let names = parts(path)?;
        let Some((name, folders)) = names.split_last() else { return Err(no_archive("a name is empty")) };
        let first = names[0];
        // A volume that is no longer declared.
        let Some(number) = volumes.iter().position(|volume| volume.name.as_bytes() == first) else {
            continue;
        };
        let parent = open_parent(&root, folders)?;
        let target = Target { parent: &parent, name, owner };
        match entry.header().entry_type() {
            EntryType::Directory => target.folder(mode_of(&entry)?)?,
            EntryType::Symlink if !folders.is_empty() => {
                let link = link.or_else(|| entry.link_name_bytes().map(|link| link.into_owned()));
                target.link(&link.ok_or_else(|| no_archive("a link leads nowhere"))?)?;
            }
            EntryType::Regular if !folders.is_empty() => {
                let size_bytes = entry.size();
                let volume = &volumes[number];
                left[number] = left[number].checked_sub(size_bytes).ok_or_else(|| VolumeError::Full {
                    name: volume.name.clone(),
                    limit_bytes: volume.size_bytes,
                })?;
                let (mode, mtime) = (mode_of(&entry)?, entry.header().mtime().map_err(malformed)?);
                target.file(&mut entry, size_bytes, mode, mtime)?;
            }
            _ => return Err(no_archive("it has something that is no file, folder or link")),
        }
    }
    // To its end: only then is it sure that it is what its hash says.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(malformed)?;
    // Before it is said that they are there.
    rustix::fs::syncfs(&root).map_err(io::Error::from)?;
    Ok(())
}

/// Where an entry goes.
struct Target<'a> {
    parent: &'a OwnedFd,
    name: &'a [u8],
    owner: (u32, u32),
}

impl Target<'_> {
    fn folder(&self, mode: Mode) -> Result<(), VolumeError> {
        rustix::fs::mkdirat(self.parent, self.name, Mode::RWXU).map_err(taken)?;
        let folder = rustix::fs::openat(self.parent, self.name, folder_flags(), Mode::empty());
        let folder = folder.map_err(io::Error::from)?;
        self.give(&folder)?;
        // What its owner cannot enter could not be packed again.
        rustix::fs::fchmod(&folder, mode | Mode::RWXU).map_err(io::Error::from)?;
        Ok(())
    }

    fn link(&self, points_to: &[u8]) -> Result<(), VolumeError> {
        if points_to.is_empty() || points_to.len() > LINK_BYTES_MAX || points_to.contains(&0) {
            return Err(no_archive("a link that cannot be made"));
        }
        rustix::fs::symlinkat(points_to, self.parent, self.name).map_err(taken)?;
        let (user, group) = self.ids();
        rustix::fs::chownat(self.parent, self.name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(io::Error::from)?;
        Ok(())
    }

    fn file(&self, from: &mut impl Read, size_bytes: u64, mode: Mode, mtime: u64) -> Result<(), VolumeError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(self.parent, self.name, flags, Mode::RUSR | Mode::WUSR).map_err(taken)?;
        let mut file = File::from(file);
        let copied = io::copy(&mut from.take(size_bytes), &mut file).map_err(malformed)?;
        if copied != size_bytes {
            return Err(no_archive("it ends within a file"));
        }
        self.give(&file)?;
        rustix::fs::fchmod(&file, mode).map_err(io::Error::from)?;
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: i64::try_from(mtime).unwrap_or(0), tv_nsec: 0 },
        };
        rustix::fs::futimens(&file, &times).map_err(io::Error::from)?;
        Ok(())
    }

    fn give(&self, file: &impl AsFd) -> io::Result<()> {
        let (user, group) = self.ids();
        Ok(rustix::fs::fchown(file, Some(user), Some(group))?)
    }

    fn ids(&self) -> (rustix::fs::Uid, rustix::fs::Gid) {
        (rustix::fs::Uid::from_raw(self.owner.0), rustix::fs::Gid::from_raw(self.owner.1))
    }
}

const fn folder_flags() -> OFlags {
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC)
}

/// The names that a path is made of, each plain.
fn parts(path: &Path) -> Result<Vec<&[u8]>, VolumeError> {
    let mut names = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) if !name.as_bytes().contains(&0) => names.push(name.as_bytes()),
            _ => return Err(no_archive("a name that leads elsewhere")),
        }
    }
    if names.len() > DEPTH_MAX + 1 { Err(VolumeError::TooMany) } else { Ok(names) }
}

/// Opens the folder that an entry goes into, from name to name: no link is followed on the way.
fn open_parent(root: &OwnedFd, names: &[&[u8]]) -> Result<OwnedFd, VolumeError> {
    let mut folder = root.try_clone()?;
    for name in names {
        let next = rustix::fs::openat(&folder, *name, folder_flags(), Mode::empty());
        folder = next.map_err(|_| no_archive("a name is below something that is no folder"))?;
    }
    Ok(folder)
}

/// A name that is too long for the head of its entry, without the zero at its end.
fn text_of(entry: &mut impl Read) -> Result<Vec<u8>, VolumeError> {
    let mut text = Vec::new();
    entry.take(LINK_BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(malformed)?;
    if text.len() > LINK_BYTES_MAX {
        return Err(no_archive("a name that is too long"));
    }
    if text.last() == Some(&0) {
        text.pop();
    }
    Ok(text)
}

fn mode_of<R: Read>(entry: &tar::Entry<'_, R>) -> Result<Mode, VolumeError> {
    Ok(Mode::from_raw_mode(entry.header().mode().map_err(malformed)? & 0o777))
}

fn malformed(error: io::Error) -> VolumeError {
    VolumeError::Malformed(error.to_string())
}

fn no_archive(problem: &str) -> VolumeError {
    VolumeError::Malformed(problem.to_owned())
}

fn taken(error: rustix::io::Errno) -> VolumeError {
    match error {
        rustix::io::Errno::EXIST => no_archive("a name is there twice"),
        error => io::Error::from(error).into(),
    }
}
