//! The API over HTTP, as clients meet it, before a node on in-memory ports.

mod access;
mod api;
mod audit;
mod graphql;
mod ledger;
mod metrics;
mod once;
mod openapi;
mod remote;
mod session;
mod socket;
mod spending;
mod support;
mod wallet_login;
