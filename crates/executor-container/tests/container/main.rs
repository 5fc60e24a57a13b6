//! Images and containers, against a real engine where there is one.
//!
//! Tests that need an engine say `skipped` and why where there is none, or no static busybox to make an
//! image of: Debian's packages `docker.io` and `busybox-static` have both.

mod abuse;
mod gpus;
mod gvisor;
mod images;
mod podman;
mod registry;
mod running;
mod secrets;
mod services;
mod services_abuse;
mod support;
mod volumes;
mod walls;
mod watching;
