//! What was measured once, kept in a file so that a node starts at once the next time.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Changes whenever a measurement changes its meaning; older files are then measured anew.
const VERSION: u32 = 1;
/// A larger file is not ours.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Why the figures could not be kept. The node works without; it measures again at its next start.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep measurements in {path}")]
pub struct CacheError {
    /// The file.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

/// The file's content.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    disk_write_mb_s: Option<u32>,
    /// By processor, then by engine: a score holds for both.
    scores: BTreeMap<String, BTreeMap<String, u32>>,
}

/// Measurements of one machine, in one file of its data folder.
#[derive(Debug)]
pub(crate) struct MeasurementCache {
    path: PathBuf,
    content: Content,
}

impl MeasurementCache {
    /// Reads `path`. A file that is missing, damaged or of another version is an empty cache.
    pub fn open(path: PathBuf) -> Self {
        let content = read(&path).unwrap_or_else(|reason| {
            tracing::debug!(path = %path.display(), reason, "no earlier measurements");
            Content { version: VERSION, ..Content::default() }
        });
        Self { path, content }
    }

    /// The disk's write speed, if it was measured.
    pub fn disk_write_mb_s(&self) -> Option<u32> {
        self.content.disk_write_mb_s
    }

    /// Keeps the disk's write speed.
    pub fn set_disk_write_mb_s(&mut self, mb_s: u32) -> Result<(), CacheError> {
        self.content.disk_write_mb_s = Some(mb_s);
        self.save()
    }

    /// The score of a processor under an engine, if it was measured.
    pub fn score(&self, cpu_model: &str, engine: &str) -> Option<u32> {
        self.content.scores.get(cpu_model)?.get(engine).copied()
    }

    /// Keeps a score; those of other engines and processors are of no more use.
    pub fn set_score(&mut self, cpu_model: &str, engine: &str, score: u32) -> Result<(), CacheError> {
        let by_engine = BTreeMap::from([(engine.to_owned(), score)]);
        self.content.scores = BTreeMap::from([(cpu_model.to_owned(), by_engine)]);
        self.save()
    }

    /// Replaces the file as a whole, so that a crash leaves the old or the new one.
    fn save(&self) -> Result<(), CacheError> {
        let new = self.path.with_extension("new");
        let text = serde_json::to_vec_pretty(&self.content).map_err(io::Error::from);
        text.and_then(|text| fs::write(&new, text))
            .and_then(|()| fs::rename(&new, &self.path))
            .map_err(|source| CacheError { path: self.path.clone(), source })
    }
}

fn read(path: &Path) -> Result<Content, String> {
    let size_bytes = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size_bytes > FILE_BYTES_MAX {
        return Err(format!("{size_bytes} bytes are too many"));
    }
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let content: Content = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if content.version == VERSION { Ok(content) } else { Err(format!("version {}", content.version)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_in(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("measurements.json")
    }

    #[test]
    fn measurements_survive_and_a_score_holds_for_one_processor_and_engine() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut cache = MeasurementCache::open(path_in(&folder));
        assert_eq!((cache.disk_write_mb_s(), cache.score("cpu", "engine 1")), (None, None));
        cache.set_disk_write_mb_s(512).expect("a writable folder");
        cache.set_score("cpu", "engine 1", 9_000).expect("a writable folder");

        let mut again = MeasurementCache::open(path_in(&folder));
        assert_eq!(again.disk_write_mb_s(), Some(512));
        assert_eq!(again.score("cpu", "engine 1"), Some(9_000));
        assert_eq!(again.score("cpu", "engine 2"), None);
        assert_eq!(again.score("other cpu", "engine 1"), None);

        again.set_score("cpu", "engine 2", 9_500).expect("a writable folder");
        assert_eq!(again.score("cpu", "engine 1"), None);
    }

    #[test]
    fn a_damaged_or_foreign_file_is_measured_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let large = " ".repeat(FILE_BYTES_MAX as usize + 1);
        let future = r#"{"version": 2, "disk_write_mb_s": 5, "scores": {}}"#;
        for content in
            ["", "{", "[]", r#"{"version": 1}"#, r#"{"version": 1, "scores": {}, "more": 1}"#, future, &large]
        {
            fs::write(path_in(&folder), content).expect("a writable folder");
            assert_eq!(MeasurementCache::open(path_in(&folder)).disk_write_mb_s(), None, "{content:.60}");
        }
    }

    #[test]
    fn a_folder_that_takes_no_file_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("missing").join("measurements.json");
        let error = MeasurementCache::open(path.clone()).set_disk_write_mb_s(1).expect_err("no such folder");
        assert_eq!(error.path, path);
    }
}
