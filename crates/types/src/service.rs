//! Services: programs that stay up, as their owner declares them, keepers place them and hosts say they do.
//!
//! An owner signs a [`Declaration`]: small, public, the highest revision counts. The [`ServiceSpec`] that it
//! names by hash goes only to those who keep or run the service. A keeper that the declaration names signs a
//! [`Placement`] for each replica, and whoever runs one signs an [`Advert`] that carries both: any member can
//! check alone that a node may answer for a service.

mod secret;
mod spec;
mod volume;

pub use secret::{
    READERS_MAX, Reader, SECRETS_BYTES_MAX, SECRETS_MAX, Secret, SecretValue, Secrets, check_given,
};
pub use spec::{
    CPU_CORES_MAX, HealthCheck, InvalidService, LINKS_MAX, Link, Load, NAME_CHARS_MAX, PORTS_MAX, Probe,
    REPLICAS_MAX, ReplicaLimits, Restart, Scale, ServiceRef, ServiceSpec, Update, check_name,
};
pub use volume::{SaveId, Saved, VOLUME_ENTRIES_MAX, VOLUMES_BYTES_MAX, VOLUMES_MAX, Volume, Volumes};

use crate::{
    hash::Hash,
    ids::ServiceId,
    key::NodeId,
    place::words,
    signed::{Signable, Signed, SignedError},
    text::{ParseError, serde_as_text},
    units::Timestamp,
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

/// Most nodes that keep one service.
pub const KEEPERS_MAX: usize = 7;

/// What an owner declares of a service. The highest revision counts.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Declaration {
    /// The sky, by its genesis.
    pub sky: Hash,
    /// Whose it is; equals the signer.
    pub owner: NodeId,
    /// Its name among the owner's services.
    pub name: String,
    /// Grows with every change.
    pub revision: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who keeps it up: the first of these that is there acts, the others stand by.
    pub keepers: Vec<NodeId>,
    /// Ports that members may reach, as its program knows them.
    pub ports: Vec<u16>,
    /// What is to run, by the hash of its spec; none once the service is removed.
    pub spec: Option<Hash>,
    /// What keeps running where this revision does not get healthy.
    pub fallback: Option<Earlier>,
}

/// An earlier revision that was good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Earlier {
    /// Which.
    pub revision: u64,
    /// The hash of its spec.
    pub spec: Hash,
}

impl Signable for Declaration {
    const DOMAIN: &'static [u8; 16] = b"opensky/service\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 1024;
}

impl Declaration {
    /// The service that it declares.
    pub fn service(&self) -> ServiceId {
        ServiceId::of(&self.owner, &self.name)
    }

    /// Whether a revision may run under it.
    fn names(&self, revision: u64) -> bool {
        revision == self.revision || self.fallback.is_some_and(|earlier| earlier.revision == revision)
    }

    /// What every reader relies on, beside the signature.
    fn is_sound(&self) -> bool {
        check_name(&self.name).is_ok()
            && self.revision > 0
            && (1..=KEEPERS_MAX).contains(&self.keepers.len())
            && self.ports.len() <= PORTS_MAX
            && self.fallback.is_none_or(|earlier| earlier.revision < self.revision)
    }
}

impl Signed<Declaration> {
    /// The declaration, if its owner signed it and it is one of `sky`.
    pub fn check(&self, sky: Hash) -> Result<Declaration, ClaimError> {
        let declaration = self.verify()?;
        let is_owners = declaration.owner == self.signer() && declaration.sky == sky;
        if is_owners && declaration.is_sound() { Ok(declaration) } else { Err(ClaimError::Unsound) }
    }
}

/// A declaration with the specs that it names.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Declared {
    /// What the owner signed.
    pub declaration: Signed<Declaration>,
    /// What is to run; none for a service that is removed.
    pub spec: Option<ServiceSpec>,
    /// The spec of its fallback.
    pub fallback: Option<ServiceSpec>,
}

impl Declared {
    /// The declaration, if all of it fits together.
    pub fn check(&self, sky: Hash) -> Result<Declaration, ClaimError> {
        let declaration = self.declaration.check(sky)?;
        let hash = |spec: &Option<ServiceSpec>| spec.as_ref().map(ServiceSpec::hash);
        let fits = hash(&self.spec) == declaration.spec
            && hash(&self.fallback) == declaration.fallback.map(|earlier| earlier.spec);
        let is_sound = |spec: &ServiceSpec| spec.validate().is_ok() && spec.name == declaration.name;
        let fits = fits && self.spec.as_ref().is_none_or(|spec| spec.ports == declaration.ports);
        if fits && self.spec.iter().chain(&self.fallback).all(is_sound) {
            Ok(declaration)
        } else {
            Err(ClaimError::Unsound)
        }
    }

    /// The spec of a revision, where it is here.
    pub fn spec_of(&self, declaration: &Declaration, revision: u64) -> Option<&ServiceSpec> {
        if revision == declaration.revision {
            return self.spec.as_ref();
        }
        let earlier = declaration.fallback.filter(|earlier| earlier.revision == revision);
        earlier.and(self.fallback.as_ref())
    }
}

/// One replica: a place of a service, and how often that place was filled before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ReplicaId {
    /// Of which service.
    pub service: ServiceId,
    /// Which of its replicas, from 0.
    pub slot: u16,
    /// Grows each time that the slot is filled anew; the highest healthy one answers.
    pub generation: u64,
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.service, self.slot, self.generation)
    }
}

impl FromStr for ReplicaId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad =
            || ParseError::new(text, "a replica such as 0123456789abcdef.0.1 (service.slot.generation)");
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(bad);
        let (service, slot, generation) = (part()?, part()?, part()?);
        let id = Self {
            service: service.parse()?,
            slot: slot.parse().map_err(|_| bad())?,
            generation: generation.parse().map_err(|_| bad())?,
        };
        if id.to_string() == text { Ok(id) } else { Err(bad()) }
    }
}

serde_as_text!(ReplicaId);

/// A keeper's word that a node is to run a replica.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Placement {
    /// The sky, by its genesis.
    pub sky: Hash,
    /// Which replica.
    pub replica: ReplicaId,
    /// Of which revision.
    pub revision: u64,
    /// Who is to run it.
    pub node: NodeId,
    /// Until when this counts. Keepers renew it while they want the replica.
    pub expires_at: Timestamp,
}

impl Signable for Placement {
    const DOMAIN: &'static [u8; 16] = b"opensky/replica\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 256;
}

impl Signed<Placement> {
    /// The placement, if a keeper of `declaration` signed it for a replica of that service.
    pub fn check(&self, declaration: &Declaration) -> Result<Placement, ClaimError> {
        if !declaration.keepers.contains(&self.signer()) {
            return Err(ClaimError::NotKeeper { node: self.signer() });
        }
        let placement = self.verify()?;
        let fits = placement.sky == declaration.sky && placement.replica.service == declaration.service();
        if fits { Ok(placement) } else { Err(ClaimError::Unsound) }
    }
}

words! {
    /// How a replica stands.
    ReplicaState,
    "a replica's state: preparing, starting, healthy, unhealthy, waiting, leaving, failed, ended or moving",
    {
        /// Its program is on the way.
        Preparing = 0 => "preparing",
        /// It runs and was not found healthy yet.
        Starting = 1 => "starting",
        /// It answers.
        Healthy = 2 => "healthy",
        /// It runs and does not answer.
        Unhealthy = 3 => "unhealthy",
        /// It ended and starts again after a while.
        Waiting = 4 => "waiting",
        /// It ends: nothing new comes to it.
        Leaving = 5 => "leaving",
        /// It ended and does not start again here.
        Failed = 6 => "failed",
        /// Its program ended well and is not to start again.
        Ended = 7 => "ended",
        /// It answers still; its host closes soon, so it has to run elsewhere.
        Moving = 8 => "moving",
    }
}

impl ReplicaState {
    /// Whether connections are taken.
    pub const fn answers(self) -> bool {
        matches!(self, Self::Healthy | Self::Moving)
    }
}

/// A host's word that it runs a replica, for members that want to reach it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Advert {
    /// Whose service it is.
    pub declaration: Signed<Declaration>,
    /// Why this node runs a replica of it.
    pub placement: Signed<Placement>,
    /// Grows with each advert of a node, over restarts too.
    pub sequence: u64,
    /// How the replica stands.
    pub state: ReplicaState,
    /// When this stops counting.
    pub expires_at: Timestamp,
}

impl Signable for Advert {
    const DOMAIN: &'static [u8; 16] = b"opensky/advert\0\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 4 * 1024;
}

impl Signed<Advert> {
    /// The advert with what it rests on, if every signature holds and all fits together.
    pub fn check(&self, sky: Hash) -> Result<(Advert, Declaration, Placement), ClaimError> {
        let advert = self.verify()?;
        let declaration = advert.declaration.check(sky)?;
        let placement = advert.placement.check(&declaration)?;
        if placement.node == self.signer() && declaration.names(placement.revision) {
            Ok((advert, declaration, placement))
        } else {
            Err(ClaimError::Unsound)
        }
    }
}

/// How a replica stands, as its host tells a keeper.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReplicaReport {
    /// Which.
    pub replica: ReplicaId,
    /// Of which revision.
    pub revision: u64,
    /// How it stands.
    pub state: ReplicaState,
    /// For how long, in milliseconds.
    pub for_ms: u64,
    /// How often its program was started again.
    pub restarts: u32,
    /// Connections that are open through its host.
    pub connections: u32,
    /// Processor time that it takes, in percent of its cores; 0 where nobody asks for it.
    pub cpu_percent: u8,
    /// What is wrong, where something is: one line, at most [`PROBLEM_BYTES_MAX`] bytes.
    pub problem: String,
    /// What its program wrote last, where something is wrong: at most [`LAST_WORDS_BYTES_MAX`] bytes.
    pub last_words: String,
    /// What was saved last of its volumes.
    pub saved: Option<Saved>,
}

impl ReplicaReport {
    /// The same with texts no longer than they may be, whatever a host says.
    pub fn cut(mut self) -> Self {
        self.problem.truncate(self.problem.floor_char_boundary(PROBLEM_BYTES_MAX));
        self.last_words.truncate(self.last_words.floor_char_boundary(LAST_WORDS_BYTES_MAX));
        self
    }
}

/// Most bytes of what a report says is wrong.
pub const PROBLEM_BYTES_MAX: usize = 512;
/// Most bytes of a program's last words in a report.
pub const LAST_WORDS_BYTES_MAX: usize = 2_048;

/// Why a node does not do what another asks of it for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize, thiserror::Error)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Refusal {
    /// What was shown does not hold.
    #[error("the declaration or placement does not hold")]
    Unsound = 0,
    /// Only keepers and owners may ask for this.
    #[error("only the service's owner and keepers may ask that")]
    NotAllowed = 1,
    /// Nothing is known of it.
    #[error("it has no such service or replica")]
    Unknown = 2,
    /// A newer revision is known.
    #[error("it knows a newer revision")]
    Outdated = 3,
    /// Its owner's limits leave no room.
    #[error("it has no room")]
    Full = 4,
    /// Its owner does not share now.
    #[error("it does not share right now")]
    Closed = 5,
    /// Nothing there runs such a program.
    #[error("it cannot run containers right now")]
    Level = 6,
    /// It asks for money, which services do not pay yet.
    #[error("it asks for a price, and services run on nodes without one only")]
    Price = 7,
    /// The replica takes no connections.
    #[error("the replica takes no connections right now")]
    NotAnswering = 8,
    /// The service has no such port.
    #[error("the service has no such port")]
    NoSuchPort = 9,
    /// Nothing can be kept there.
    #[error("its disk does not take anything in right now")]
    Disk = 10,
    /// The secrets are sealed for other nodes.
    #[error("it cannot read the service's secrets")]
    NoReader = 11,
    /// A GPU, a registry or an isolation is not there.
    #[error("it does not have the GPUs, the registry or the isolation that the program needs")]
    Needs = 12,
}

/// Why a declaration, placement or advert is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A signature is wrong, or what is signed cannot be read.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// Its parts do not fit together.
    #[error("its parts do not fit together")]
    Unsound,
    /// Somebody places a replica who is no keeper of the service.
    #[error("{node} is no keeper of the service")]
    NotKeeper { node: NodeId },
}
