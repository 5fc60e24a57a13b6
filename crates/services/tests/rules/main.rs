//! What each core does with each word, in tables.

mod bench;
mod directory;
mod host_life;
mod host_orders;
mod keeper;
mod load;
