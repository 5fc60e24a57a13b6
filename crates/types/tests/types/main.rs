//! What the types promise: bytes that stay, rules that hold.

mod batch;
mod golden;
mod job;
mod limits;
mod membership;
mod merkle;
mod needs;
mod receipt;
mod rotation;
mod service;
mod signed;
mod task;
mod text;
