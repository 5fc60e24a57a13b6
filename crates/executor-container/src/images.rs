//! Images in the engine: brought there once, under names of this node's own, and taken out again when they
//! need too much room.

use crate::{
    archive::{self, ArchiveError, Image},
    engine::Found,
    registry::{self, PullError},
};
use bollard::{
    errors::Error as EngineError,
    query_parameters::{ImportImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use opensky_executor::content::open_blob;
use opensky_ports::blobs::BlobStore;
use opensky_types::{
    Hash,
    job::{ImageRef, Program},
    task::Failure,
};
use std::{
    collections::HashMap,
    fs,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// The repository of this node's names: `opensky/image:HASH`.
const REPOSITORY: &str = "opensky/image";
/// Images that are known to be of no use.
const REFUSED_MAX: usize = 1_024;
/// Room on the disk that images leave.
const FREE_BYTES_MIN: u64 = 2 << 30;
/// How long an image is left alone that its registry did not give.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(30);
/// Longest wait for the engine to take in an image: so long, and a second for so many bytes of it.
const LOAD_WAIT: Duration = Duration::from_secs(120);
const LOAD_BYTES_PER_S: u64 = 5 << 20;
/// Pieces of an archive that wait for the engine.
const PIECES_WAITING: usize = 8;
/// Bytes of such a piece.
const PIECE_BYTES: usize = 256 << 10;

/// The images that tasks run from.
pub struct Images {
    blobs: Arc<dyn BlobStore>,
    /// Most bytes of images in the engine, unpacked.
    cap_bytes: u64,
    limits: archive::Limits,
    /// When images known to be in the engine were last used, by name.
    used: Mutex<HashMap<String, Instant>>,
    /// Images that cannot be run, and why: checking one again would cost as much.
    refused: Mutex<HashMap<Hash, Failure>>,
    /// One image at a time is brought in.
    loading: tokio::sync::Mutex<()>,
    /// One image at a time is fetched from a registry, which holds up none that are here.
    fetching: tokio::sync::Mutex<()>,
    /// Images that a registry did not give, when that was, and why: asking again at once would not help.
    unavailable: Mutex<HashMap<Hash, (Instant, Failure)>>,
    /// Where images of registries wait to be checked.
    folder: PathBuf,
}

impl Images {
    pub fn new(blobs: Arc<dyn BlobStore>, cap_bytes: u64, folder: PathBuf) -> Self {
        let limits = archive::Limits::default();
        Self {
            blobs,
            cap_bytes,
            limits,
            used: Mutex::default(),
            refused: Mutex::default(),
            loading: tokio::sync::Mutex::new(()),
            fetching: tokio::sync::Mutex::new(()),
            unavailable: Mutex::default(),
            folder,
        }
    }

    fn used(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<Hash, Failure>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that a program's image is in the engine; returns its name there.
    pub async fn ensure(&self, engine: &Found, program: &Program) -> Result<String, Failure> {
        let hash = program.hash;
        let name = format!("{REPOSITORY}:{hash}");
        if self.is_known(&name) {
            return Ok(name);
        }
        let known = self.known_failure(hash);
        if let Some(failure) = known {
            return Err(failure);
        }
        if is_there(engine, &name).await? {
            self.used().insert(name.clone(), Instant::now());
            return Ok(name);
        }
        let turn = if program.needs.image.is_some() { &self.fetching } else { &self.loading };
        let _one = turn.lock().await;
        if self.is_known(&name) {
            return Ok(name);
        }
        let known = self.known_failure(hash);
        if let Some(failure) = known {
            return Err(failure);
        }
        if !is_there(engine, &name).await? {
            let loaded = match &program.needs.image {
                None => self.load(engine, Archived::Blob(Arc::clone(&self.blobs), hash), &name).await,
                Some(image) => self.load_from_registry(engine, image, &name).await,
            };
            let is_for_ever = self.known_failure(hash).is_none();
            if let Err(failure @ Failure::InvalidProgram { .. }) = &loaded
                && is_for_ever
            {
                let mut refused = self.refused();
                if refused.len() >= REFUSED_MAX {
                    refused.clear();
                }
                refused.insert(hash, failure.clone());
            }
            loaded?;
        }
        self.used().insert(name.clone(), Instant::now());
        Ok(name)
    }

    /// Why an image is known to be of no use, for ever or for a while.
    fn known_failure(&self, hash: Hash) -> Option<Failure> {
        if let Some(failure) = self.refused().get(&hash) {
            return Some(failure.clone());
        }
        let unavailable = self.unavailable();
        let known = unavailable.get(&hash).filter(|(since, _)| since.elapsed() < UNAVAILABLE_WAIT);
        known.map(|(_, failure)| failure.clone())
    }

    /// The engine said that it has no such image, whatever was known.
    pub fn forget(&self, name: &str) {
        self.used().remove(name);
    }

    fn is_known(&self, name: &str) -> bool {
        let mut used = self.used();
        let known = used.get_mut(name);
        known.map(|at| *at = Instant::now()).is_some()
    }

    /// Fetches an image from its registry first; one that was not to be had is left alone for a while.
    async fn load_from_registry(&self, engine: &Found, image: &ImageRef, name: &str) -> Result<(), Failure> {
        let hash = image.hash();
        let (started, packed_bytes_max) =
            (Instant::now(), self.cap_bytes.min(self.limits.unpacked_bytes_max));
        let fetched = async {
            let file = tempfile::tempfile_in(&self.folder).map_err(PullError::Disk)?;
            // What comes is unpacked beside it later.
            let has_room = |bytes: u64| check_disk(&self.folder, bytes.saturating_mul(2)).is_ok();
            registry::pull(image, &engine.arch, (packed_bytes_max, &has_room), file.into()).await
        };
        match fetched.await {
            Ok(file) => {
                tracing::info!(%image, took = ?started.elapsed(), "an image was fetched from its registry");
                let _one = self.loading.lock().await;
                self.load(engine, Archived::File(Arc::new(file.into_std().await)), name).await
            }
            // Larger than its owner has room for is no fault of the image.
            Err(PullError::Image(error)) if !matches!(error, ArchiveError::TooLarge { limit, .. } if limit == self.cap_bytes) => {
                Err(unreadable(&error))
            }
            Err(error) => {
                let message = error.to_string();
                let failure = match error {
                    PullError::NotThere(_) => Failure::InvalidProgram { message },
                    PullError::Disk(_) | PullError::Image(_) => stopped(&message),
                    _ => Failure::InputUnavailable { hash, message },
                };
                let mut unavailable = self.unavailable();
                unavailable.retain(|_, (since, _)| since.elapsed() < UNAVAILABLE_WAIT);
                if unavailable.len() < REFUSED_MAX {
                    unavailable.insert(hash, (Instant::now(), failure.clone()));
                }
                Err(failure)
            }
        }
    }

    fn unavailable(&self) -> MutexGuard<'_, HashMap<Hash, (Instant, Failure)>> {
        self.unavailable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self, engine: &Found, archived: Archived, name: &str) -> Result<(), Failure> {
        let started = Instant::now();
        let (source, arch, limits) = (archived.clone(), engine.arch.clone(), self.limits);
        let checked = tokio::task::spawn_blocking(move || {
            let mut archive = source.open()?;
            archive::read(&mut archive, &arch, &limits).map_err(|error| unreadable(&error))
        });
        let image = checked.await.map_err(|_| stopped("the check of an image panicked"))??;
        check_disk(&self.folder, image.unpacked_bytes)?;
        self.make_room(engine, image.unpacked_bytes).await?;
        let unpacked_bytes = image.unpacked_bytes;
        self.send(engine, archived, image, name).await?;
        if !is_there(engine, name).await? {
            return Err(stopped("the engine took the image and does not have it"));
        }
        tracing::info!(name, unpacked_bytes, took = ?started.elapsed(), "an image was brought into the engine");
        Ok(())
    }

    async fn send(
        &self,
        engine: &Found,
        archived: Archived,
        image: Image,
        name: &str,
    ) -> Result<(), Failure> {
        let unpacked_bytes = image.unpacked_bytes;
        let (sender, mut pieces) = mpsc::channel(PIECES_WAITING);
        let tag = name.to_owned();
        let writing = tokio::task::spawn_blocking(move || {
            let mut archive = archived.open()?;
            let pipe = io::BufWriter::with_capacity(PIECE_BYTES, Pipe(sender));
            archive::rewrite(&mut archive, &image, &tag, pipe)
                .map_err(|error| stopped(&format!("the image could not be passed on: {error}")))
        });
        let body = futures::stream::poll_fn(move |context| pieces.poll_recv(context)).map(Ok::<_, io::Error>);
        let options = ImportImageOptionsBuilder::default().quiet(true).build();
        let wait = LOAD_WAIT + Duration::from_secs(unpacked_bytes / LOAD_BYTES_PER_S);
        let docker = engine.docker.clone().with_timeout(wait);
        let answers = docker.import_image_stream(options, body, None);
        let told: Result<Vec<_>, EngineError> = answers.try_collect().await;
        let written = writing.await.map_err(|_| stopped("the writer of an image panicked"))?;
        match told {
            Ok(_) => written,
            // The image was checked: most likely there is no room.
            Err(error) => Err(stopped(&format!("the engine did not take the image: {error}"))),
        }
    }

    /// Removes images, those unused for longest first, until so much fits. The engine keeps those that
    /// containers are made of.
    async fn make_room(&self, engine: &Found, wanted_bytes: u64) -> Result<(), Failure> {
        let mut held = list(engine).await?;
        let mut total: u64 = held.iter().map(|(_, size_bytes)| size_bytes).sum();
        {
            let used = self.used();
            held.sort_by_key(|(name, _)| used.get(name).copied());
        }
        for (name, size_bytes) in held {
            if total.saturating_add(wanted_bytes) <= self.cap_bytes {
                return Ok(());
            }
            let options = RemoveImageOptionsBuilder::default().build();
            match engine.docker.remove_image(&name, Some(options), None).await {
                Ok(_) => {
                    tracing::info!(name, size_bytes, "an image was removed to make room");
                    self.forget(&name);
                    total = total.saturating_sub(size_bytes);
                }
                Err(error) => tracing::debug!(name, %error, "an image stays"),
            }
        }
        if total.saturating_add(wanted_bytes) > self.cap_bytes {
            return Err(stopped("no room for the image below the owner's limit"));
        }
        Ok(())
    }
}

/// An archive on this node.
#[derive(Clone)]
enum Archived {
    /// In the blob store.
    Blob(Arc<dyn BlobStore>, Hash),
    /// In a file of its own, which is gone with the last of these.
    File(Arc<fs::File>),
}

impl Archived {
    fn open(&self) -> Result<Box<dyn ReadSeek>, Failure> {
        match self {
            Self::Blob(blobs, hash) => Ok(Box::new(open_blob(blobs.as_ref(), *hash)?)),
            Self::File(file) => Ok(Box::new(BufReader::new(FileAt { file: Arc::clone(file), at: 0 }))),
        }
    }
}

trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// A file that others read too: each keeps its own place.
struct FileAt {
    file: Arc<fs::File>,
    at: u64,
}

impl Read for FileAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for FileAt {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The images of this node's names and their sizes in bytes.
async fn list(engine: &Found) -> Result<Vec<(String, u64)>, Failure> {
    let filters = HashMap::from([("reference", vec![REPOSITORY])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let images = engine.docker.list_images(Some(options)).await.map_err(|error| lost(&error))?;
    let named = images.into_iter().flat_map(|image| {
        let size_bytes = u64::try_from(image.size).unwrap_or(0);
        image.repo_tags.into_iter().map(move |tag| (tag, size_bytes))
    });
    let ours = named.filter_map(|(tag, size_bytes)| Some((own_name(&tag)?, size_bytes)));
    Ok(ours.collect())
}

/// The name that this node gave an image, if it did: Podman puts a registry's name before it.
fn own_name(tag: &str) -> Option<String> {
    let (repository, hash) = tag.rsplit_once(':')?;
    let before = repository.strip_suffix(REPOSITORY)?;
    (before.is_empty() || before.ends_with('/')).then(|| format!("{REPOSITORY}:{hash}"))
}

/// Whether the disk has room for so much, and for what else goes on here. Engines mostly keep images on the same one.
pub fn check_disk(folder: &Path, wanted_bytes: u64) -> Result<(), Failure> {
    let disk =
        rustix::fs::statvfs(folder).map_err(|error| stopped(&format!("no disk for images: {error}")))?;
    let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    match free_bytes >= wanted_bytes.saturating_add(FREE_BYTES_MIN) {
        true => Ok(()),
        false => Err(stopped("no room on the disk for the image")),
    }
}

async fn is_there(engine: &Found, name: &str) -> Result<bool, Failure> {
    match engine.docker.inspect_image(name).await {
        Ok(_) => Ok(true),
        Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(lost(&error)),
    }
}

fn unreadable(error: &ArchiveError) -> Failure {
    match error {
        // Only what the system says is the machine's fault; all else is in the archive.
        ArchiveError::Io(source) if source.raw_os_error().is_some() => stopped(&format!("{error}: {source}")),
        ArchiveError::Io(source) => Failure::InvalidProgram { message: format!("{error}: {source}") },
        other => Failure::InvalidProgram { message: other.to_string() },
    }
}

fn stopped(message: &str) -> Failure {
    Failure::ProviderStopped { message: message.to_owned() }
}

/// The engine failed, which is no fault of the program.
pub fn lost(error: &EngineError) -> Failure {
    Failure::WorkerLost { message: format!("the container engine: {error}") }
}

/// Writes into a channel.
struct Pipe(mpsc::Sender<Bytes>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(bytes));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j4_what_is_no_archive_is_the_images_fault_and_a_broken_disk_is_not() {
        let text = [b'x'; 1024];
        let error = archive::read(&mut io::Cursor::new(text), "amd64", &archive::Limits::default());
        let failure = unreadable(&error.expect_err("text is no archive"));
        assert!(matches!(failure, Failure::InvalidProgram { .. }), "{failure}");
        let failure = unreadable(&ArchiveError::Io(io::Error::from_raw_os_error(5)));
        assert!(matches!(failure, Failure::ProviderStopped { .. }), "{failure}");
    }
}
