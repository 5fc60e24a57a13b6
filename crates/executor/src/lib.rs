//! What all executors do alike.
//!
//! What it is: contents on their way in and out of the blob store, folders that programs fill, and
//! arguments with a task's item in its place. What it never does: run anything.

pub mod call;
pub mod content;
pub mod scratch;
