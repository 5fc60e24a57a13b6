//! What a program in a container needs beside a processor, memory and files.

use crate::{
    hash::Hash,
    place::words,
    resources::{ByteSize, Gpu},
    text::{ParseError, serde_as_text},
};
use borsh::{
    BorshDeserialize, BorshSerialize,
    io::{self, Error, ErrorKind, Read, Write},
};
use std::{fmt, str::FromStr};

/// Most GPUs of one program.
pub const GPUS_MAX: u8 = 16;
/// Longest part of a GPU's name that can be asked for, in bytes.
const MODEL_BYTES_MAX: usize = 64;
/// Longest name of an image, its digest aside, in bytes: as registries have it.
const NAME_BYTES_MAX: usize = 255;
/// The registry of names that have none.
const USUAL_REGISTRY: &str = "docker.io";
/// The folder there of names that have none.
const USUAL_FOLDER: &str = "library";
const DIGEST_KIND: &str = "sha256:";

/// What a program in a container needs beside a processor, memory and files.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Needs {
    /// The image, where its host takes it from a registry; else it is a blob of the sky.
    pub image: Option<ImageRef>,
    /// What keeps it from its host.
    pub isolation: Isolation,
    /// GPUs that are its own while it runs.
    pub gpus: Option<GpuNeed>,
}

impl Needs {
    /// Whether each part is what hosts rely on.
    pub fn validate(&self) -> Result<(), String> {
        if self.gpus.is_some() && self.isolation == Isolation::Gvisor {
            return Err("no GPU reaches into gVisor; ask for one of both".into());
        }
        self.gpus.as_ref().map_or(Ok(()), GpuNeed::validate)
    }

    /// GPUs that it takes.
    pub fn gpu_count(&self) -> u8 {
        self.gpus.as_ref().map_or(0, |gpus| gpus.count)
    }

    /// The first of these GPUs, by their places among those of the machine, that will do; none where there are too
    /// few. Empty for a program that needs none.
    pub fn choose_gpus(&self, among: impl IntoIterator<Item = u8>, of_machine: &[Gpu]) -> Option<Vec<u8>> {
        let Some(need) = &self.gpus else { return Some(Vec::new()) };
        let fits = |place: &u8| of_machine.get(usize::from(*place)).is_some_and(|gpu| need.is_met_by(gpu));
        let chosen: Vec<u8> = among.into_iter().filter(fits).take(usize::from(need.count)).collect();
        (chosen.len() == usize::from(need.count)).then_some(chosen)
    }
}

words! {
    /// What keeps a container from its host.
    #[derive(Default)]
    Isolation,
    "an isolation: any or gvisor",
    {
        /// What the host's owner has chosen.
        #[default]
        Any = 0 => "any",
        /// A kernel of its own, written in a safe language (gVisor).
        Gvisor = 1 => "gvisor",
    }
}

words! {
    /// Who makes a GPU.
    GpuVendor,
    "a maker of GPUs: nvidia or amd",
    {
        /// NVIDIA.
        Nvidia = 0 => "nvidia",
        /// AMD.
        Amd = 1 => "amd",
    }
}

/// GPUs, all of one machine.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GpuNeed {
    /// How many, 1 to [`GPUS_MAX`].
    pub count: u8,
    /// Memory of each, in bytes; 0: any.
    pub memory_bytes_min: u64,
    /// Who made them; none: anyone.
    pub vendor: Option<GpuVendor>,
    /// A part of their name, in small letters; empty: any.
    pub model: String,
}

impl GpuNeed {
    /// So many, of any kind.
    pub const fn any(count: u8) -> Self {
        Self { count, memory_bytes_min: 0, vendor: None, model: String::new() }
    }

    /// Whether one GPU will do.
    pub fn is_met_by(&self, gpu: &Gpu) -> bool {
        let has_memory = self.memory_bytes_min == 0
            || gpu.memory_bytes.is_some_and(|bytes| bytes >= self.memory_bytes_min);
        has_memory
            && self.vendor.is_none_or(|vendor| gpu.vendor == vendor.as_str())
            && (self.model.is_empty() || gpu.model.to_lowercase().contains(&self.model))
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if !(1..=GPUS_MAX).contains(&self.count) {
            return Err(format!("1 to {GPUS_MAX} GPUs, or none at all"));
        }
        let is_plain = !self.model.chars().any(|c| c.is_control() || c.is_uppercase());
        if self.model.len() > MODEL_BYTES_MAX || !is_plain {
            return Err(format!(
                "a GPU's model is up to {MODEL_BYTES_MAX} bytes of its name in small letters"
            ));
        }
        Ok(())
    }
}

impl fmt::Display for GpuNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        if self.memory_bytes_min > 0 {
            let size = ByteSize::new(self.memory_bytes_min).to_string();
            write!(f, ",memory={}", size.replace(' ', ""))?;
        }
        if let Some(vendor) = self.vendor {
            write!(f, ",vendor={vendor}")?;
        }
        if self.model.is_empty() { Ok(()) } else { write!(f, ",model={}", self.model) }
    }
}

/// `2`, or `2,memory=16GiB,vendor=nvidia,model=a100`; a model comes last, whatever is in it.
impl FromStr for GpuNeed {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || {
            ParseError::new(text, "a number of GPUs such as 1, or 2,memory=16GiB,vendor=nvidia,model=a100")
        };
        let (text_before, model) = match text.split_once(",model=") {
            Some((before, model)) if !model.is_empty() => (before, model.to_lowercase()),
            Some(_) => return Err(bad()),
            None => (text, String::new()),
        };
        let mut parts = text_before.split(',');
        let count = parts.next().and_then(|count| count.parse().ok()).ok_or_else(bad)?;
        let mut need = Self { model, ..Self::any(count) };
        for part in parts {
            match part.split_once('=') {
                Some(("memory", size)) if need.memory_bytes_min == 0 => {
                    need.memory_bytes_min = size.parse::<ByteSize>().map_err(|_| bad())?.get();
                }
                Some(("vendor", vendor)) if need.vendor.is_none() => {
                    need.vendor = Some(vendor.parse().map_err(|_| bad())?);
                }
                _ => return Err(bad()),
            }
        }
        need.validate().map_err(|_| bad())?;
        Ok(need)
    }
}

/// An image in a registry, by digest: `ghcr.io/owner/name@sha256:…`. What it is can never change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Where: `docker.io`, `ghcr.io`, `localhost:5000`.
    registry: String,
    /// Its name there: `library/redis`.
    repository: String,
    /// SHA-256 of its manifest, or of a list of manifests.
    digest: [u8; 32],
}

impl ImageRef {
    /// Where it is.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Its name there.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// SHA-256 of its manifest, or of a list of manifests.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What a program that is this image goes by, in receipts as well.
    pub fn hash(&self) -> Hash {
        Hash::of_value("opensky registry image 1", self)
    }

    /// Whether an owner who allows `source` allows this image: a registry, or a part of one such as `ghcr.io/owner`.
    pub fn is_from(&self, source: &str) -> bool {
        let rest = source.strip_prefix(self.registry.as_str());
        let Some(folder) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) else { return false };
        let folder = folder.trim_matches('/');
        let below = self.repository.strip_prefix(folder);
        folder.is_empty() || below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{DIGEST_KIND}{}", self.registry, self.repository, hex::encode(self.digest))
    }
}

impl FromStr for ImageRef {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || {
            ParseError::new(
                text,
                "an image in a registry by its digest, such as ghcr.io/owner/name@sha256:0123…",
            )
        };
        let (name, digest) = text.split_once('@').ok_or_else(bad)?;
        let digits = digest.strip_prefix(DIGEST_KIND).filter(|digits| !digits.contains(char::is_uppercase));
        let mut digest = [0; 32];
        hex::decode_to_slice(digits.ok_or_else(bad)?, &mut digest).map_err(|_| bad())?;
        let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, path) = match name.split_once('/') {
            Some((USUAL_REGISTRY, path)) if !path.contains('/') => {
                (USUAL_REGISTRY, format!("{USUAL_FOLDER}/{path}"))
            }
            Some((first, path)) if is_host(first) => (first, path.to_owned()),
            Some(_) => (USUAL_REGISTRY, name.to_owned()),
            None => (USUAL_REGISTRY, format!("{USUAL_FOLDER}/{name}")),
        };
        // What a tag stood for then, its digest stands for always.
        let repository = match path.rsplit_once(':') {
            Some((repository, tag)) if is_tag(tag) => repository.to_owned(),
            Some(_) => return Err(bad()),
            None => path,
        };
        let fits =
            name.len() <= NAME_BYTES_MAX && is_registry(registry) && repository.split('/').all(is_part);
        if fits { Ok(Self { registry: registry.to_owned(), repository, digest }) } else { Err(bad()) }
    }
}

serde_as_text!(ImageRef);

// As text, so that what is read is what would be written.
impl BorshSerialize for ImageRef {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        self.to_string().serialize(writer)
    }
}

impl BorshDeserialize for ImageRef {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let text = String::deserialize_reader(reader)?;
        let image: Self = text.parse().map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        if image.to_string() == text {
            Ok(image)
        } else {
            Err(Error::new(ErrorKind::InvalidData, "an image's name is not in its full form"))
        }
    }
}

/// A host's name and perhaps a port.
fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_port = |port: &str| port.parse().is_ok_and(|port: u16| port > 0) && !port.starts_with(['0', '+']);
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// A part of a name: letters and digits, with signs between them.
fn is_part(part: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ['.', '_', '-'].contains(&c);
    is_edge(part.chars().next())
        && is_edge(part.chars().last())
        && part.chars().all(is_inner)
        && !part.contains("..")
}

fn is_tag(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&c);
    (1..=128).contains(&text.len()) && text.chars().all(is_inner)
}
