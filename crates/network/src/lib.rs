//! The network: libp2p behind the port [`opensky_ports::Transport`].
//!
//! What it is: connections (QUIC first, TCP + Noise + Yamux second, relays and hole punching where
//! neither gets through), streams, gossip and lookups among the members of one closed sky. What it
//! never does: read what it carries, or decide who is a member; the node does both. A peer that is
//! not a member can do one thing here: knock. Start at [`Network::start`], then `driver.rs`, the one
//! task that owns the swarm, then `members.rs`, the gate.

mod addresses;
mod behaviour;
mod book;
mod commands;
mod config;
mod counted;
mod driver;
mod knock;
mod limits;
mod members;
mod network;
mod outbox;
mod streams;
mod transport;

pub use config::{Config, KnownMember, Limits, Relays};
pub use network::{Network, StartError};
