//! Real processes on this machine, told what to do by the command line and the API.

mod client_example;
mod containers;
mod devnet;
mod engine;
mod kills;
mod lan;
mod ledger;
mod payments;
mod secrets;
mod services;
mod skies;
mod wrong_input;
