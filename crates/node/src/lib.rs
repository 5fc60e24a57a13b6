//! The node: one event loop that joins the pure cores to the world.
//!
//! What it is: the place where facts from the network, the executors, the disk, the clock and the
//! user become inputs of a core, and where the effects that a core answers become actions. What it
//! never does: decide (the cores do), or name libp2p, Wasmtime, redb or HTTP (the adapters do).
//! Start at [`Node::start`], then follow `node.rs`: `next_event` → `handle_event` → `perform`.

mod audits;
mod config;
mod consumer;
mod event;
mod fetch;
mod handle;
mod host;
mod images;
mod inputs;
mod journal;
mod ledger;
mod link;
mod links;
mod membership;
mod node;
mod offers;
mod payments;
mod quote;
mod requests;
mod serve;
mod services;
mod settings;
mod sky;
mod start;
mod steady;

pub use config::Config;
pub use handle::{
    Handle, InviteError, IssuedInvite, JobEvent, JobView, LogChunk, NodeGone, OfferView, Status, SubmitError,
    TransactError,
};
pub use images::{IMAGES_MAX, KeepImageError, KeptImage};
pub use ledger::{AutoTransfer, When};
pub use membership::{JoinError, Joined, join, member_knock};
pub use node::{End, Node};
pub use opensky_market::Cluster;
pub use opensky_scheduler::JobView as JobProgress;
pub use opensky_services::{Failing, GivenUp, Note as ServiceNote, UnknownService};
pub use quote::{Quote, StageQuote};
pub use services::{
    DeclareError, Declaring, GivenSecret, LogPart, OpenError, OpenPort, ReplicaView, ServiceError,
    ServiceState, ServiceView,
};
pub use start::{Parts, StartError};
