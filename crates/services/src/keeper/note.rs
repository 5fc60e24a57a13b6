//! What happened to a service and why, for its owner.

use opensky_types::{NodeId, Timestamp, reason::MisfitCounts, service::Refusal};
use std::fmt;

/// Something worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When it happened.
    pub at: Timestamp,
    /// The replica's slot, where it is about one.
    pub slot: Option<u16>,
    /// What happened.
    pub text: NoteText,
}

/// What happened; `Display` is the sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteText {
    /// A node was asked to run a replica.
    Placed { node: NodeId, revision: u64 },
    /// It did not take it.
    Refused { node: NodeId, refusal: Option<Refusal> },
    /// No node fits.
    NobodyFits { counts: MisfitCounts },
    /// A replica answers.
    Healthy { node: NodeId, revision: u64 },
    /// A host does not answer; the replica is replaced.
    Lost { node: NodeId },
    /// A replica failed, and this is what was said last.
    Failed { node: NodeId, problem: String, last_words: String },
    /// A host has to let go of a replica.
    Moving { node: NodeId },
    /// A revision did not get healthy.
    GaveUp { revision: u64, goes_on: Option<u64>, problem: String },
    /// All replicas of a revision answer.
    UpToDate { revision: u64 },
    /// This node acts now, or no longer.
    Acts(bool),
    /// A host does not answer, and its volumes are waited for.
    WaitsFor { node: NodeId, wait_ms: u64 },
    /// What was saved of volumes cannot be had.
    NotHeld { problem: String },
    /// The load needs more replicas, or fewer.
    Scaled { from: u16, to: u16 },
}

impl fmt::Display for NoteText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placed { node, revision } => write!(f, "revision {revision} is to run on {}", node.short()),
            Self::Refused { node, refusal: Some(refusal) } => {
                write!(f, "{} does not run it: {refusal}", node.short())
            }
            Self::Refused { node, refusal: None } => write!(f, "{} could not be asked", node.short()),
            Self::NobodyFits { counts } => write!(f, "no node fits: {counts}"),
            Self::Healthy { node, revision } => {
                write!(f, "revision {revision} answers on {}", node.short())
            }
            Self::Lost { node } => write!(f, "{} does not answer; another node takes over", node.short()),
            Self::WaitsFor { node, wait_ms } => {
                let (node, seconds) = (node.short(), wait_ms.div_ceil(1_000));
                write!(
                    f,
                    "{node} does not answer, and has the volumes; they go on elsewhere, as saved last, after {seconds} s"
                )
            }
            Self::NotHeld { problem } => write!(f, "what was saved of its volumes cannot be had: {problem}"),
            Self::Failed { node, problem, last_words } if last_words.is_empty() => {
                write!(f, "failed on {}: {problem}", node.short())
            }
            Self::Failed { node, problem, last_words } => {
                write!(f, "failed on {}: {problem}; it wrote last: {last_words}", node.short())
            }
            Self::Moving { node } => {
                write!(f, "{} has to let go of it; another node takes over", node.short())
            }
            Self::GaveUp { revision, goes_on: Some(earlier), problem } => {
                write!(f, "revision {revision} did not get healthy, revision {earlier} goes on: {problem}")
            }
            Self::GaveUp { revision, goes_on: None, problem } => {
                write!(f, "revision {revision} did not get healthy: {problem}")
            }
            Self::UpToDate { revision } => write!(f, "all replicas of revision {revision} answer"),
            Self::Acts(true) => f.write_str("this node acts as keeper now"),
            Self::Scaled { from, to } if to > from => {
                write!(f, "more load: {to} replicas in place of {from}")
            }
            Self::Scaled { from, to } => write!(f, "less load: {to} replicas in place of {from}"),
            Self::Acts(false) => f.write_str("another keeper acts"),
        }
    }
}
