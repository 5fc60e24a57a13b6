//! The provider through its public door.

mod admission;
mod common;
mod funding;
mod limits;
mod needs;
mod random;
mod results;
mod running;
