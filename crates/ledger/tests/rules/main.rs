//! The rules: what transactions do, what they can't, and that money is conserved by all of them.

mod blocks;
mod common;
mod conservation;
mod transfers;
