//! Whole nodes on in-memory ports, with virtual time.

mod audits;
mod checkpoints;
mod checks;
mod faults;
mod following;
mod images;
mod jobs;
mod membership;
mod needs;
mod payments;
mod peers;
mod secrets;
mod services;
mod sky;
mod soak;
mod support;
mod volumes;
