//! The rules of each domain, apart from the state that holds their entries.

mod audits;
mod common;
mod puzzle;
mod registry;
mod reputation;
mod rules;
mod stake;
mod validators;
