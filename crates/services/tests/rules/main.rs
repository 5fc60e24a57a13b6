//! What each core does with each word, in tables.

mod bench;
mod directory;
mod host_life;
mod host_orders;
mod host_volumes;
mod keeper;
mod load;
