//! Services over a fake sky in virtual time: real cores, real keys. Every run follows from its seed.

mod chance;
mod faults;
mod node;
mod programs;
mod sky;
mod state;
mod updates;
mod volumes;

use crate::{programs::Behaviour, sky::Sky, state::PORT};
use opensky_types::{
    ServiceId,
    offer::Constraints,
    service::{HealthCheck, Probe, ReplicaLimits, Restart, ServiceSpec, Update},
};

/// A service of so many replicas, checked twice a second.
fn spec(behaviour: Behaviour, number: u64, replicas: u16) -> ServiceSpec {
    ServiceSpec {
        name: "web".into(),
        program: behaviour.program(number),
        ports: vec![PORT],
        links: Vec::new(),
        health: Some(HealthCheck {
            probe: Probe::Tcp { port: PORT },
            interval_ms: 500,
            timeout_ms: 200,
            failures_max: 3,
            start_ms: 5_000,
        }),
        replicas,
        limits: ReplicaLimits::default(),
        constraints: Constraints::default(),
        restart: Restart::Always,
        update: Update { parallel: 1, healthy_ms: 10_000, rollback: true },
        stop_ms: 500,
        secrets: None,
        idle_ms: None,
        scale: None,
        volumes: None,
    }
}

/// Waits until all is well, and says how long that took.
fn settle(sky: &mut Sky, service: ServiceId, most_ms: u64) -> u64 {
    sky.until(most_ms, |sky| sky.is_settled(service).is_ok()).unwrap_or_else(|| {
        let problem = sky.is_settled(service).expect_err("it is not settled");
        panic!("not settled {} ms after the start: {problem}\n{}", sky.now, sky.story(service))
    })
}

/// All stays as it is.
fn stays(sky: &mut Sky, service: ServiceId, for_ms: u64) {
    sky.run(for_ms, |sky| {
        if let Err(problem) = sky.is_settled(service) {
            panic!("no longer settled {} ms after the start: {problem}\n{}", sky.now, sky.story(service));
        }
    });
}

/// All is well at the latest after so long, and stays so; says when something was wrong last.
fn heal(sky: &mut Sky, services: &[ServiceId], most_ms: u64) -> u64 {
    let began = sky.now;
    let mut last = 0;
    sky.run(most_ms, |sky| {
        if services.iter().any(|service| sky.is_settled(*service).is_err()) {
            last = sky.now - began;
        }
    });
    for service in services {
        settle(sky, *service, 0);
        stays(sky, *service, 10_000);
    }
    last
}
