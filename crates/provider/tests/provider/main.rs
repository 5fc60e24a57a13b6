//! The provider through its public door.

mod admission;
mod common;
mod limits;
mod random;
mod results;
mod running;
