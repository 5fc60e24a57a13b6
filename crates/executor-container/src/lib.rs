//! Runs tasks in containers.
//!
//! What it is: the [`Executor`] for the level `container`. Each task gets a fresh container of an engine on
//! this machine (Docker, or Podman by the same API): no capability, no network, no file of the host but its
//! own scratch folder, a read-only root, and the limits of the task, counted by the kernel. Images come by
//! hash through the sky and are checked before the engine sees them. What it never does: pull from a
//! registry, run anything privileged, or know about money.
//!
//! Start at [`ContainerExecutor`]; `archive` reads images, `create` says what a container may, `task` runs
//! one.
//!
//! [`Executor`]: opensky_ports::executor::Executor

pub mod archive;
mod create;
mod engine;
mod executor;
mod gpus;
mod host;
mod images;
mod meter;
mod registry;
mod service;
mod slots;
mod task;
#[cfg(feature = "testing")]
pub mod testing;

pub use executor::{Config, ContainerExecutor, StartError};
pub use service::ContainerServices;
