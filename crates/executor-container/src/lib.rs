//! Runs tasks in containers.
//!
//! What it is: the [`Executor`] for the level `container`. Each task gets a fresh container of an engine on
//! this machine (Docker, or Podman by the same API): no capability, no network, no file of the host but its
//! own scratch folder and the GPUs that it was given, a read-only root, and the limits of the task, counted by
//! the kernel. Images come by hash through the sky, or by digest from a registry that the owner allows, and are
//! checked before the engine sees them. What it never does: have the engine pull, run anything privileged, or
//! know about money.
//!
//! Start at [`ContainerExecutor`]; `archive` reads images, `registry` fetches them, `create` says what a container
//! may, `gpus` passes cards on, `task` runs one.
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
