//! Images out of registries (OCI distribution specification): by digest, within limits, into one archive.
//!
//! The engine pulls nothing: it would unpack whatever comes. What is fetched here goes the way of every other
//! archive, and what it is was decided by whoever named its digest. A registry's answers are a stranger's: every
//! one is capped, hashed, and leads nowhere into this machine's own networks.

mod reach;

use crate::archive::{
    ArchiveError, JSON_BYTES_MAX, LAYERS_MAX,
    oci::{Descriptor, INDEX_DEPTH_MAX, OciIndex, OciManifest},
};
use opensky_types::job::ImageRef;
use reach::Reach;
use reqwest::{Response, StatusCode, Url, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, io, time::Duration};
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWrite, AsyncWriteExt, BufWriter},
};

/// Documents that a manifest may be.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
/// Most bytes of a registry's permission to read.
const TOKEN_BYTES_MAX: u64 = 64 << 10;
/// Longest wait for a whole image: so long, and a second for so many bytes of it.
const PULL_WAIT: Duration = Duration::from_secs(120);
const PULL_BYTES_PER_S: u64 = 1 << 20;
/// What pads files in an archive.
const BLOCK_BYTES: usize = 512;

/// Why an image could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// It is not there, or not for everybody.
    #[error("{0} is not there, or not for everybody to read")]
    NotThere(String),
    /// The registry does not answer as one does.
    #[error("registry {registry}: {problem}")]
    Registry { registry: String, problem: String },
    /// What came is not what its digest says.
    #[error("registry {registry} sent something else than {digest}")]
    WrongDigest { registry: String, digest: String },
    /// It is no image that runs here.
    #[error(transparent)]
    Image(#[from] ArchiveError),
    /// It cannot be kept.
    #[error("the image cannot be kept: {0}")]
    Disk(#[from] io::Error),
}

/// What is fetched from one registry for one image.
struct Pull<'a> {
    image: &'a ImageRef,
    reach: Reach,
    /// What the registry let us in with.
    token: Option<String>,
}

/// Fetches an image for machines of `arch` into an archive that is read like any other. All of it together has
/// `packed_bytes_max` bytes at most, and no more than there is room for.
pub async fn pull(
    image: &ImageRef,
    arch: &str,
    (packed_bytes_max, has_room): (u64, &(dyn Fn(u64) -> bool + Sync)),
    file: File,
) -> Result<File, PullError> {
    let mut pull = Pull { image, reach: Reach::new(image.registry())?, token: None };
    let mut archive = Archive { file: BufWriter::new(file), names: BTreeSet::new() };
    let found = tokio::time::timeout(PULL_WAIT, pull.manifests(arch, &mut archive)).await;
    let manifest = found.unwrap_or_else(|_| Err(pull.broken("it is too slow")))?;
    let packed_bytes = check_sizes(&manifest, packed_bytes_max)?;
    if !has_room(packed_bytes) {
        return Err(PullError::Disk(io::ErrorKind::StorageFull.into()));
    }
    let wait = PULL_WAIT + Duration::from_secs(packed_bytes / PULL_BYTES_PER_S);
    let copied = tokio::time::timeout(wait, pull.parts(manifest, &mut archive)).await;
    copied.unwrap_or_else(|_| Err(pull.broken("it is too slow")))?;
    archive.finish().await
}

/// Whether an image is within limits, by its own word, which its parts are held to. Returns all bytes of them.
fn check_sizes(manifest: &OciManifest, packed_bytes_max: u64) -> Result<u64, PullError> {
    let OciManifest { config, layers } = manifest;
    if layers.len() > LAYERS_MAX {
        return Err(ArchiveError::TooLarge { limit: LAYERS_MAX as u64, what: "layers" }.into());
    }
    if config.size > JSON_BYTES_MAX {
        let what = "bytes of JSON in one file";
        return Err(ArchiveError::TooLarge { limit: JSON_BYTES_MAX, what }.into());
    }
    let packed_bytes = layers.iter().map(|layer| layer.size).fold(config.size, u64::saturating_add);
    if packed_bytes > packed_bytes_max {
        return Err(ArchiveError::TooLarge { limit: packed_bytes_max, what: "bytes" }.into());
    }
    Ok(packed_bytes)
}

impl Pull<'_> {
    /// From the digest to the one image for this machine, whose manifest becomes the archive's only one.
    async fn manifests(&mut self, arch: &str, archive: &mut Archive) -> Result<OciManifest, PullError> {
        let mut wanted = hex::encode(self.image.digest());
        for _ in 0..=INDEX_DEPTH_MAX {
            let bytes = self.manifest(&wanted).await?;
            if let Ok(index) = serde_json::from_slice::<OciIndex>(&bytes) {
                wanted = digest_of(index.choose(arch)?)?;
                continue;
            }
            let manifest = serde_json::from_slice(&bytes).map_err(|error| malformed(&error.to_string()))?;
            let index = serde_json::json!({ "manifests": [{ "digest": format!("sha256:{wanted}") }] });
            archive.add("index.json", index.to_string().as_bytes()).await?;
            archive.add(&format!("blobs/sha256/{wanted}"), &bytes).await?;
            return Ok(manifest);
        }
        Err(malformed("lists of images within lists"))
    }

    /// The configuration and the layers of an image.
    async fn parts(&mut self, manifest: OciManifest, archive: &mut Archive) -> Result<(), PullError> {
        let OciManifest { config, layers } = manifest;
        for part in [config].iter().chain(&layers) {
            let digest = digest_of(part)?;
            // The same layer may be there twice.
            if archive.names.contains(&digest) {
                continue;
            }
            let response = self.get(&format!("blobs/sha256:{digest}"), None).await?;
            self.copy(response, part, &digest, archive).await?;
            archive.names.insert(digest);
        }
        Ok(())
    }

    /// A part goes from the registry into the archive as it comes, hashed on the way.
    async fn copy(
        &self,
        mut response: Response,
        part: &Descriptor,
        digest: &str,
        archive: &mut Archive,
    ) -> Result<(), PullError> {
        archive.begin(&format!("blobs/sha256/{digest}"), part.size).await?;
        let (mut left, mut hash) = (part.size, Sha256::new());
        while let Some(piece) = response.chunk().await.map_err(|error| self.broken(&plain(&error)))? {
            left = left.checked_sub(piece.len() as u64).ok_or_else(|| self.wrong(digest))?;
            hash.update(&piece);
            archive.file.write_all(&piece).await?;
        }
        if left > 0 || hex::encode(hash.finalize()) != digest {
            return Err(self.wrong(digest));
        }
        archive.pad(part.size).await
    }

    async fn manifest(&mut self, digest: &str) -> Result<Vec<u8>, PullError> {
        let response = self.get(&format!("manifests/sha256:{digest}"), Some(MANIFESTS)).await?;
        let bytes = self.body(response, JSON_BYTES_MAX).await?;
        if hex::encode(Sha256::digest(&bytes)) == digest { Ok(bytes) } else { Err(self.wrong(digest)) }
    }

    /// Asks; and once more with a permission, where the registry says who gives it.
    async fn get(&mut self, what: &str, accept: Option<&str>) -> Result<Response, PullError> {
        let url = self.reach.url(&format!("v2/{}/{what}", self.image.repository()));
        let url = url.ok_or_else(|| self.broken("its address cannot be read"))?;
        let mut is_second_try = false;
        loop {
            let mut request = self.reach.http().get(url.clone());
            if let Some(accept) = accept {
                request = request.header(header::ACCEPT, accept);
            }
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            let response = request.send().await.map_err(|error| self.broken(&plain(&error)))?;
            match response.status() {
                StatusCode::OK => return Ok(response),
                StatusCode::UNAUTHORIZED if !is_second_try => {
                    is_second_try = true;
                    self.token = Some(self.permission(&response).await?);
                }
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                    return Err(PullError::NotThere(self.image.to_string()));
                }
                StatusCode::TOO_MANY_REQUESTS => return Err(self.broken("it has had too many requests")),
                status => return Err(self.broken(&format!("it answers {}", status.as_u16()))),
            }
        }
    }

    /// A permission to read what everybody may read.
    async fn permission(&self, refused: &Response) -> Result<String, PullError> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let asked = refused.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let Challenge { realm, service } =
            asked.and_then(challenge).ok_or_else(|| PullError::NotThere(self.image.to_string()))?;
        let mut url = Url::parse(&realm).map_err(|_| self.broken("it sends elsewhere for a permission"))?;
        if !self.reach.may_go(&url) {
            return Err(self.broken("it sends into a private network for a permission"));
        }
        let scope = format!("repository:{}:pull", self.image.repository());
        url.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", &service);
        }
        let response =
            self.reach.http().get(url).send().await.map_err(|error| self.broken(&plain(&error)))?;
        if response.status() != StatusCode::OK {
            return Err(PullError::NotThere(self.image.to_string()));
        }
        let bytes = self.body(response, TOKEN_BYTES_MAX).await?;
        let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
        let token = answer.and_then(|answer| answer.token.or(answer.access_token));
        token.ok_or_else(|| self.broken("it gives no permission"))
    }

    async fn body(&self, mut response: Response, bytes_max: u64) -> Result<Vec<u8>, PullError> {
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.broken(&plain(&error)))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > bytes_max {
                return Err(self.broken("it says too much"));
            }
        }
        Ok(bytes)
    }

    fn broken(&self, problem: &str) -> PullError {
        PullError::Registry { registry: self.image.registry().to_owned(), problem: problem.to_owned() }
    }

    fn wrong(&self, digest: &str) -> PullError {
        let digest = format!("sha256:{digest}");
        PullError::WrongDigest { registry: self.image.registry().to_owned(), digest }
    }
}

/// An archive that is being written: a tar of files with short names.
struct Archive {
    file: BufWriter<File>,
    /// Digests of what is in it.
    names: BTreeSet<String>,
}

impl Archive {
    async fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), PullError> {
        self.begin(name, bytes.len() as u64).await?;
        self.file.write_all(bytes).await?;
        self.pad(bytes.len() as u64).await
    }

    async fn begin(&mut self, name: &str, size_bytes: u64) -> Result<(), PullError> {
        let mut header = tar::Header::new_gnu();
        header.set_path(name)?;
        header.set_size(size_bytes);
        header.set_mode(0o600);
        header.set_cksum();
        Ok(self.file.write_all(header.as_bytes()).await?)
    }

    async fn pad(&mut self, size_bytes: u64) -> Result<(), PullError> {
        let over = (size_bytes % BLOCK_BYTES as u64) as usize;
        let rest = (BLOCK_BYTES - over) % BLOCK_BYTES;
        Ok(zeros(&mut self.file, rest).await?)
    }

    async fn finish(mut self) -> Result<File, PullError> {
        zeros(&mut self.file, 2 * BLOCK_BYTES).await?;
        self.file.flush().await?;
        let mut file = self.file.into_inner();
        file.rewind().await?;
        Ok(file)
    }
}

async fn zeros(file: &mut (impl AsyncWrite + Unpin), count: usize) -> io::Result<()> {
    file.write_all(&[0; 2 * BLOCK_BYTES][..count]).await
}

/// The digits of a SHA-256.
fn digest_of(part: &Descriptor) -> Result<String, PullError> {
    let digits = part.digest.strip_prefix("sha256:");
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let digits = digits.filter(|digits| digits.len() == 64 && digits.chars().all(is_digit));
    digits.map(str::to_owned).ok_or_else(|| malformed("a part of it has no SHA-256"))
}

fn malformed(problem: &str) -> PullError {
    ArchiveError::Malformed(problem.to_owned()).into()
}

/// Without the address, which is long and said already.
fn plain(error: &reqwest::Error) -> String {
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.find_map(|cause| cause.source().is_none().then(|| cause.to_string())).unwrap_or_else(|| {
        if error.is_timeout() { "it does not answer".to_owned() } else { "it cannot be reached".to_owned() }
    })
}

/// Who gives permissions.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: Option<String>,
}

/// Reads `Bearer realm="…",service="…",scope="…"`.
fn challenge(header: &str) -> Option<Challenge> {
    let (scheme, mut rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, left) = after.split_once('"')?;
        match name.trim_matches([',', ' ']) {
            "realm" => realm = Some(value.to_owned()),
            "service" => service = Some(value.to_owned()),
            _ => {}
        }
        rest = left;
    }
    Some(Challenge { realm: realm?, service })
}

#[cfg(test)]
mod tests;
