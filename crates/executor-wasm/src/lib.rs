//! Runs WASM tasks in worker processes.
//!
//! What it is: the [`Executor`] for the levels `function` and `vm`. Tasks run on Wasmtime in pooled
//! worker processes that hold no key, no network and no file but their own scratch folder; a worker
//! that dies fails one task. What it never does: run a byte of a program inside the node's process,
//! load a compiled program that it did not compile itself, or know about money.
//!
//! Components that answer HTTP run as services, in workers that are handed open connections ([`WasmServices`]).
//!
//! Start at [`WasmExecutor`] (the node's side) and [`worker::main`] (the worker's side).
//!
//! [`Executor`]: opensky_ports::executor::Executor

mod engine;
mod executor;
mod frame;
#[doc(hidden)]
pub mod sandbox;
pub mod worker;

pub use executor::{Config, RequestLimits, SpawnError, StartError, WasmExecutor, WasmServices};
pub use sandbox::{SandboxLayer, SandboxReport};
