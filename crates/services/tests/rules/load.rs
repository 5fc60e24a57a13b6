//! What keepers make of the load that hosts report, and of what never runs.

use crate::{
    bench::{declare, spec},
    keeper::{Desk, keepers, many, service},
};
use opensky_services::KeeperInput;
use opensky_types::{
    samples,
    service::{Load, ReplicaId, ReplicaReport, ReplicaState, Restart, Scale, ServiceSpec},
};
use std::collections::BTreeMap;

/// A keeper with hosts that run whatever is placed.
struct Hosts {
    desk: Desk,
    running: BTreeMap<ReplicaId, u8>,
    /// How long each has been well.
    well_ms: BTreeMap<ReplicaId, u64>,
}

fn scaled(max: u16) -> ServiceSpec {
    let target = Load::Connections { count: 10 };
    ServiceSpec { scale: Some(Scale { min: 1, max, target }), ..spec(Restart::Always) }
}

impl Hosts {
    fn new(keeper: u8, spec: &ServiceSpec) -> Self {
        let mut desk = Desk::new(keeper);
        desk.declared(&declare(1, spec, &keepers()));
        let mut hosts = Self { desk, running: BTreeMap::new(), well_ms: BTreeMap::new() };
        hosts.fill();
        hosts
    }

    /// Each slot that is looked for finds a node of its own.
    fn fill(&mut self) {
        for (slot, _) in self.desk.finds() {
            let node = 20 + slot as u8;
            for placement in self.desk.found(slot, &[node]) {
                let replica = placement.replica;
                self.desk.tell(KeeperInput::PlacedAt { replica, answer: Some(Ok(())) });
                self.running.insert(replica, node);
            }
        }
    }

    /// A second in which so many connections are open, the same number to each replica; how many run then.
    fn second(&mut self, connections: u32) -> usize {
        let each = connections.div_ceil(self.running.len().max(1) as u32);
        for (replica, node) in self.running.clone() {
            let for_ms = self.well_ms.entry(replica).or_default();
            *for_ms += 1_000;
            let report = ReplicaReport {
                replica,
                revision: 1,
                state: ReplicaState::Healthy,
                for_ms: *for_ms,
                restarts: 0,
                connections: each,
                cpu_percent: 0,
                problem: String::new(),
                last_words: String::new(),
                saved: None,
            };
            let reports = Some(vec![report]);
            self.desk.tell(KeeperInput::Reported { service: service(), node: samples::node(node), reports });
        }
        self.desk.after(1_000);
        for replica in self.desk.withdrawn() {
            self.running.remove(&replica);
        }
        self.fill();
        self.running.len()
    }

    fn notes(&self) -> Vec<String> {
        let view = self.desk.keeper.view(self.desk.now, service()).expect("it is kept");
        view.notes.iter().map(|note| note.text.to_string()).collect()
    }
}

#[test]
fn c10_replicas_follow_the_load_and_do_not_flap() {
    let mut hosts = Hosts::new(4, &scaled(4));
    let idle: Vec<usize> = (0..10).map(|_| hosts.second(3)).collect();
    assert_eq!(idle, [1; 10]);
    let busy: Vec<usize> = (0..20).map(|_| hosts.second(38)).collect();
    assert_eq!(*busy.last().unwrap(), 4, "{busy:?}");
    assert!(busy.is_sorted(), "{busy:?}");
    // A load that wavers by a tenth, for ten minutes.
    let wavers: Vec<usize> = (0..600).map(|second| hosts.second(36 + second % 5)).collect();
    assert!(wavers.iter().all(|count| *count == 4), "{wavers:?}");
    let quiet: Vec<usize> = (0..130).map(|_| hosts.second(0)).collect();
    assert!(quiet[..55].iter().all(|count| *count == 4), "{quiet:?}");
    assert_eq!(*quiet.last().unwrap(), 1, "{quiet:?}");
    let notes = hosts.notes();
    assert!(notes.contains(&"more load: 4 replicas in place of 2".to_owned()), "{notes:?}");
    assert!(notes.contains(&"less load: 1 replicas in place of 4".to_owned()), "{notes:?}");
}

#[test]
fn c10_f1_who_takes_over_goes_on_with_as_many_as_run() {
    // The second keeper hears of three replicas that the first one, now gone, has placed.
    let mut desk = Desk::new(5);
    desk.declared(&declare(1, &scaled(4), &keepers()));
    let replica = |slot| ReplicaId { service: service(), slot, generation: 8 };
    for slot in 0..3 {
        let seen = KeeperInput::Seen {
            replica: replica(slot),
            node: samples::node(20 + slot as u8),
            revision: 1,
            state: ReplicaState::Healthy,
        };
        desk.tell(seen);
    }
    let report = |slot: u16| ReplicaReport {
        state: ReplicaState::Healthy,
        for_ms: 10_000,
        restarts: 0,
        connections: 9,
        revision: 1,
        replica: replica(slot),
        ..samples::replica_report()
    };
    for _ in 0..20 {
        for slot in 0..3_u16 {
            let (node, reports) = (samples::node(20 + slot as u8), Some(vec![report(slot)]));
            desk.tell(KeeperInput::Reported { service: service(), node, reports });
        }
        desk.after(1_000);
        assert_eq!(desk.withdrawn(), [], "what runs goes on");
        assert_eq!(desk.finds(), [], "nothing more is needed");
    }
    let view = desk.keeper.view(desk.now, service()).expect("it is kept");
    assert!(view.is_acting);
    assert_eq!(view.replicas_wanted, 3);
}

#[test]
fn c10_what_never_ran_is_counted_with_its_last_problem_until_something_does() {
    let mut desk = Desk::new(4);
    desk.declared(&declare(1, &many(1), &keepers()));
    let failing = |desk: &Desk| desk.keeper.view(desk.now, service()).expect("it is kept").failing;
    let place = |desk: &mut Desk, state, for_ms| {
        let replica = loop {
            if let [placement] = desk.found(0, &[7]).as_slice() {
                break placement.replica;
            }
            desk.after(1_000);
        };
        desk.tell(KeeperInput::PlacedAt { replica, answer: Some(Ok(())) });
        let report = ReplicaReport {
            replica,
            revision: 1,
            state,
            for_ms,
            restarts: 0,
            problem: "its image is damaged".into(),
            last_words: String::new(),
            saved: None,
            ..samples::replica_report()
        };
        let (node, reports) = (samples::node(7), Some(vec![report]));
        desk.tell(KeeperInput::Reported { service: service(), node, reports });
        desk.after(1_000);
        // Its host has nothing of it any more.
        if state == ReplicaState::Failed {
            let (node, reports) = (samples::node(7), Some(Vec::new()));
            desk.after(3_000);
            desk.tell(KeeperInput::Reported { service: service(), node, reports });
        }
    };
    assert_eq!(failing(&desk), None);
    for times in 1..=3 {
        place(&mut desk, ReplicaState::Failed, 0);
        let failing = failing(&desk).expect("it failed");
        assert_eq!((failing.times, failing.problem.as_str()), (times, "its image is damaged"));
    }
    place(&mut desk, ReplicaState::Healthy, 5_000);
    assert_eq!(failing(&desk), None, "it runs");
}
