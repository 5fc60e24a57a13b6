//! Volumes of a service: folders that outlive its programs, and what is saved of them.

use super::spec::InvalidService;
use crate::{job::Blob, units::Timestamp};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;

/// Most volumes of a service.
pub const VOLUMES_MAX: usize = 8;
/// Most bytes of all volumes of a replica together.
pub const VOLUMES_BYTES_MAX: u64 = 16 << 30;
/// Files and folders of all volumes of a replica.
pub const VOLUME_ENTRIES_MAX: u64 = 100_000;
/// Most bytes of a name and a head for each file in what is saved, beside the files' own bytes.
const SAVED_ENTRY_BYTES: u64 = 4 * 1024;
/// Most characters of a volume's name.
const NAME_CHARS_MAX: usize = 63;
/// Shortest time between two saves, in milliseconds.
pub const SAVE_MS_MIN: u64 = 1_000;
/// Longest times, in milliseconds: a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Folders of a container that are not the program's to fill.
const TAKEN: [&str; 6] = ["/.opensky", "/proc", "/sys", "/dev", "/run/secrets", "/tmp"];

/// Folders of a replica that stay when its program ends. Each slot of a service has its own.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Volumes {
    /// The folders.
    pub mounts: Vec<Volume>,
    /// Time between two saves while the program runs, in milliseconds.
    pub save_ms: u64,
    /// How long a host that does not answer is waited for before what was saved last goes on elsewhere, in
    /// milliseconds: what was written since is lost then.
    pub wait_ms: u64,
}

/// One such folder.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Volume {
    /// Its name: letters, digits, dashes, dots and underscores.
    pub name: String,
    /// Where the program finds it.
    pub path: String,
    /// Most bytes in it.
    pub size_bytes: u64,
}

/// Which save of a slot's volumes: later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct SaveId {
    /// The generation of the replica that wrote them.
    pub generation: u64,
    /// Counts the saves of that replica.
    pub count: u64,
}

/// The volumes of a replica as they were at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Saved {
    /// Which save.
    pub id: SaveId,
    /// All of it, packed as one archive.
    pub blob: Blob,
    /// When it was made, by the clock of its host.
    pub at: Timestamp,
}

impl Volumes {
    /// The usual times: saved every minute; a host is waited for for a minute.
    pub const fn usual(mounts: Vec<Volume>) -> Self {
        Self { mounts, save_ms: 60_000, wait_ms: 60_000 }
    }

    /// Bytes of all of them, when full.
    pub fn size_bytes(&self) -> u64 {
        self.mounts.iter().map(|volume| volume.size_bytes).fold(0, u64::saturating_add)
    }

    /// Most bytes of what is saved of them.
    pub fn saved_bytes_max(&self) -> u64 {
        self.size_bytes().saturating_add(VOLUME_ENTRIES_MAX * SAVED_ENTRY_BYTES)
    }

    pub(super) fn validate(&self) -> Result<(), InvalidService> {
        let bad = |problem: String| Err(InvalidService { field: "volumes", problem });
        if !(1..=VOLUMES_MAX).contains(&self.mounts.len()) {
            return bad(format!("1 to {VOLUMES_MAX} volumes"));
        }
        let mut names = BTreeSet::new();
        for (number, volume) in self.mounts.iter().enumerate() {
            if !is_name(&volume.name) || !names.insert(&volume.name) {
                let rule = "letters, digits, dashes, dots and underscores, the first a letter or digit";
                return bad(format!("'{}' is a name twice, or none: {rule}", volume.name));
            }
            if let Err(problem) = check_path(&volume.path) {
                return bad(format!("'{}': {problem}", volume.path));
            }
            let others = self.mounts[..number].iter();
            if others
                .clone()
                .any(|other| is_within(&volume.path, &other.path) || is_within(&other.path, &volume.path))
            {
                return bad(format!("'{}' is in another volume, or another one is in it", volume.path));
            }
            if volume.size_bytes < 1 << 20 {
                return bad(format!("'{}' has less than 1 MiB", volume.name));
            }
        }
        if self.size_bytes() > VOLUMES_BYTES_MAX {
            return bad(format!("all of a replica have at most {} GiB together", VOLUMES_BYTES_MAX >> 30));
        }
        if !(SAVE_MS_MIN..=DAY_MS).contains(&self.save_ms) {
            return bad("they are saved every second to once a day".into());
        }
        if self.wait_ms > DAY_MS {
            return bad("a host is waited for for at most a day".into());
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_inner)
}

fn check_path(path: &str) -> Result<(), &'static str> {
    let mut parts = path.split('/');
    let is_plain = parts.next() == Some("") && parts.all(|part| !matches!(part, "" | "." | ".."));
    if !is_plain || path.len() > 1_024 || path.chars().any(char::is_control) {
        return Err("a volume's path begins with '/', and has no '.', '..' or empty part");
    }
    // What is above these would hide them.
    if TAKEN.iter().any(|taken| is_within(path, taken) || is_within(taken, path)) {
        return Err("that folder is not the program's to keep things in");
    }
    Ok(())
}

/// Whether a path is `folder`, or below it.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: &str, path: &str) -> Volume {
        Volume { name: name.into(), path: path.into(), size_bytes: 1 << 20 }
    }

    fn problem(volumes: Volumes) -> String {
        volumes.validate().expect_err("it is refused").problem
    }

    #[test]
    fn c10_volumes_are_checked() {
        let two = vec![volume("data", "/var/lib/data"), volume("log.1", "/var/log")];
        assert_eq!(Volumes::usual(two).validate(), Ok(()));
        let one = |name, path| Volumes::usual(vec![volume(name, path)]);
        for path in ["data", "/", "/a//b", "/a/", "/a/../b", "/a/./b", "/a\nb"] {
            assert!(problem(one("data", path)).contains("begins with '/'"), "{path:?}");
        }
        for path in [
            "",
            "/proc",
            "/proc/1",
            "/sys/fs",
            "/dev/shm",
            "/tmp",
            "/tmp/x",
            "/run/secrets",
            "/run",
            "/.opensky/node",
        ] {
            assert!(problem(one("data", path)).contains("not the program's"), "{path:?}");
        }
        assert_eq!(one("data", "/tmpfiles").validate(), Ok(()));
        let long = "x".repeat(64);
        for name in ["", ".", "..", "-a", "a/b", "a b", &long] {
            assert!(problem(one(name, "/data")).contains("a name"), "{name:?}");
        }
        assert!(problem(Volumes::usual(vec![])).contains("1 to 8"));
        let nested = Volumes::usual(vec![volume("a", "/data/a"), volume("b", "/data")]);
        assert!(problem(nested).contains("another"));
        let twice = Volumes::usual(vec![volume("a", "/a"), volume("a", "/b")]);
        assert!(problem(twice).contains("twice"));
        let times = |save_ms, wait_ms| Volumes { save_ms, wait_ms, ..one("data", "/data") };
        assert!(problem(times(999, 0)).contains("every second"));
        assert!(problem(times(1_000, DAY_MS + 1)).contains("at most a day"));
        let large = Volume { size_bytes: VOLUMES_BYTES_MAX, ..volume("a", "/a") };
        assert!(problem(Volumes::usual(vec![large, volume("b", "/b")])).contains("16 GiB"));
    }
}
