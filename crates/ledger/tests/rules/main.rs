//! The rules: what transactions do, what they can't, and that money is conserved by all of them.

mod abort;
mod blocks;
mod bridge;
mod checkpoints;
mod common;
mod conservation;
mod edges;
mod escrow;
mod golden;
mod keys;
mod members;
mod mix;
mod overdraft;
mod reputation;
mod schemes;
mod strict;
mod tabs;
mod transfers;
