//! Services between owners, keepers, hosts and those who reach them: one frame there, one frame back. After
//! [`ServiceReply::Opened`] the stream carries what was asked for.

use crate::frame::Message;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    ServiceId, Signed,
    service::{Advert, Declared, Placement, Refusal, ReplicaId, ReplicaReport, SaveId, Saved},
};

/// Protocol name and version.
pub const PROTOCOL: &str = "/opensky/service/3";
/// Topic of signed adverts.
pub const TOPIC_ADVERTS: &str = "services/1";
/// Most placements that one report renews.
pub const RENEWED_MAX: usize = 256;
/// Most replicas in one report.
pub const REPORTS_MAX: usize = 256;
/// Most adverts in one answer.
pub const ADVERTS_MAX: usize = 256;
/// Most bytes of one piece of a log.
pub const LOG_PIECE_BYTES_MAX: usize = 64 * 1024;

/// A question or an order.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ServiceAsk {
    /// You are named as a keeper of this.
    Keep { declared: Declared } = 0,
    /// What do you do about this service, of which I know this revision? Between its keepers.
    Keeping { service: ServiceId, revision: u64 } = 1,
    /// Run a replica, whose volumes begin with what was saved. From a keeper.
    Place { declared: Declared, placement: Signed<Placement>, saved: Option<Saved> } = 2,
    /// End a replica. From a keeper.
    Withdraw { replica: ReplicaId } = 3,
    /// How are the replicas of this service with you? With the placements that go on, and what the keeper holds
    /// of the volumes of each slot. From a keeper.
    Report { service: ServiceId, renewed: Vec<Signed<Placement>>, held: Vec<(u16, SaveId)> } = 4,
    /// What does a replica write? Pieces follow, until it ends or, without `follow`, there is no more yet. From
    /// the owner or a keeper.
    Log { replica: ReplicaId, follow: bool } = 5,
    /// A connection to a port of a replica; its bytes follow, both ways.
    Dial { replica: ReplicaId, port: u16 } = 6,
    /// Which services do you know of? How a newcomer fills its directory.
    Adverts = 7,
}

impl Message for ServiceAsk {
    const SIZE_BYTES_MAX: usize = 512 * 1024;
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ServiceReply {
    /// It is so.
    Done = 0,
    /// No.
    Refused { refusal: Refusal } = 1,
    /// What a keeper does: the revision it knows (0: none), whether it acts, a revision that it gave up
    /// (0: none), and what it holds of the volumes of each slot.
    Keeping { revision: u64, is_acting: bool, given_up: u64, saved: Vec<(u16, Saved)> } = 2,
    /// Replicas here, whoever placed them.
    Reports { reports: Vec<PlacedReport> } = 3,
    /// Bytes follow.
    Opened = 4,
    /// Adverts, each still signed by its host.
    Adverts { adverts: Vec<Signed<Advert>> } = 5,
}

impl Message for ServiceReply {
    const SIZE_BYTES_MAX: usize = 1024 * 1024;
}

/// How a replica stands, and the word of a keeper that it is to be there.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PlacedReport {
    /// How it stands.
    pub report: ReplicaReport,
    /// Why it runs.
    pub placement: Signed<Placement>,
}

/// A piece of a replica's log.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LogPiece {
    /// Whether it was written to standard error.
    pub is_stderr: bool,
    /// What was written, at most [`LOG_PIECE_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
}

impl Message for LogPiece {
    const SIZE_BYTES_MAX: usize = LOG_PIECE_BYTES_MAX + 64;
}
