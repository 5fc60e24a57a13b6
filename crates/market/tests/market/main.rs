//! The market through its public door.

mod common;
mod finding;
mod index;
mod random;
