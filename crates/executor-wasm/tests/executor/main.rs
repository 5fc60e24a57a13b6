//! The executor with real worker processes, under their real sandbox.

mod bombs;
mod cache;
mod determinism;
mod levels;
mod loss;
mod programs;
mod sandbox;
mod services;
mod support;
