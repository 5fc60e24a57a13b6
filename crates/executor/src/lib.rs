//! What all executors do alike.
//!
//! What it is: contents on their way in and out of the blob store, folders that programs fill, volumes that outlive
//! programs, arguments with a task's item in its place, and connections into what stays up. What it never does: run
//! anything.

pub mod call;
pub mod content;
pub mod held;
pub mod scratch;
pub mod volumes;
