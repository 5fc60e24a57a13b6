//! Who is believed to answer for a service.

use crate::bench::{NOW, sky};
use opensky_services::{Directory, Heard, UnknownService};
use opensky_types::{
    Hash, NodeId, ServiceId, Signed, Timestamp, samples,
    service::{Advert, ClaimError, Declaration, Placement, ReplicaId, ReplicaState, ServiceRef},
};

/// An advert in parts, so that each can be forged alone.
struct Parts {
    declaration: Declaration,
    owner: u8,
    placement: Placement,
    keeper: u8,
    advert: (u64, ReplicaState, Timestamp),
    host: u8,
}

impl Parts {
    fn new() -> Self {
        Self {
            declaration: samples::declaration(),
            owner: 2,
            placement: samples::placement(),
            keeper: 4,
            advert: (1, ReplicaState::Healthy, NOW.plus_ms(30_000)),
            host: 3,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Signed<Advert> {
        let mut parts = Self::new();
        change(&mut parts);
        parts.sign()
    }

    fn sign(self) -> Signed<Advert> {
        let (sequence, state, expires_at) = self.advert;
        let declaration = Signed::sign(&self.declaration, &samples::keypair(self.owner));
        let placement = Signed::sign(&self.placement, &samples::keypair(self.keeper));
        let advert = Advert { declaration, placement, sequence, state, expires_at };
        Signed::sign(&advert, &samples::keypair(self.host))
    }

    /// Slot, generation, and the node that runs it.
    fn replica(mut self, slot: u16, generation: u64, host: u8) -> Self {
        (self.placement.replica.slot, self.placement.replica.generation) = (slot, generation);
        (self.placement.node, self.host) = (samples::node(host), host);
        self
    }

    fn state(mut self, sequence: u64, state: ReplicaState) -> Self {
        (self.advert.0, self.advert.1) = (sequence, state);
        self
    }

    /// A service of that name and owner.
    fn of(mut self, owner: u8, name: &str) -> Self {
        (self.declaration.owner, self.owner) = (samples::node(owner), owner);
        self.declaration.name = name.to_owned();
        self.placement.replica.service = self.declaration.service();
        self
    }
}

fn directory() -> Directory {
    Directory::new(sky())
}

fn service() -> ServiceId {
    samples::replica().service
}

fn is_new(heard: &Heard) -> bool {
    matches!(heard, Heard::New { .. })
}

fn answering(directory: &Directory, now: Timestamp) -> Vec<(u64, NodeId)> {
    let found = directory.answering(now, service()).into_iter();
    found.map(|(replica, node)| (replica.generation, node)).collect()
}

#[test]
fn c10_forged_adverts_are_refused() {
    let another = Hash::of(b"another");
    let forged = [
        Parts::with(|parts| parts.host = 9),
        Parts::with(|parts| parts.host = 4),
        Parts::with(|parts| parts.owner = 9),
        Parts::with(|parts| parts.owner = 3),
        Parts::with(|parts| parts.keeper = 9),
        Parts::with(|parts| parts.keeper = 3),
        Parts::with(|parts| parts.keeper = 2),
        Parts::with(|parts| parts.declaration.sky = another),
        Parts::with(|parts| parts.placement.sky = another),
        Parts::with(|parts| (parts.declaration.sky, parts.placement.sky) = (another, another)),
        Parts::with(|parts| parts.declaration.name = "other".into()),
        Parts::with(|parts| parts.declaration.owner = samples::node(9)),
        Parts::with(|parts| parts.declaration.keepers = vec![samples::node(9)]),
        Parts::with(|parts| parts.placement.replica.service = ServiceId::of(&samples::node(9), "web")),
        Parts::with(|parts| parts.placement.node = samples::node(9)),
        Parts::with(|parts| parts.placement.revision = 7),
    ];
    let mut directory = directory();
    for (number, advert) in forged.iter().enumerate() {
        assert!(matches!(directory.hear(NOW, advert), Heard::Wrong(_)), "forgery {number}");
    }
    let refused = Heard::Wrong(ClaimError::NotKeeper { node: samples::node(9) });
    assert_eq!(directory.hear(NOW, &forged[4]), refused);
    assert_eq!((directory.known().count(), answering(&directory, NOW).len()), (0, 0));
    let Heard::New { replica, node, revision, state } = directory.hear(NOW, &Parts::new().sign()) else {
        panic!("the true one is news")
    };
    assert_eq!((replica, node), (samples::replica(), samples::node(3)));
    assert_eq!((revision, state), (2, ReplicaState::Healthy));
}

#[test]
fn c10_adverts_count_in_their_time() {
    type Row = (fn(&mut Parts), bool);
    let table: [Row; 6] = [
        (|parts| parts.advert.2 = NOW, false),
        (|parts| parts.advert.2 = NOW.plus_ms(1), true),
        (|parts| parts.advert.2 = NOW.plus_ms(600_000), true),
        (|parts| parts.advert.2 = NOW.plus_ms(600_001), false),
        (|parts| parts.placement.expires_at = NOW, false),
        (|parts| parts.placement.expires_at = NOW.plus_ms(1), true),
    ];
    for (number, (change, expected)) in table.into_iter().enumerate() {
        let mut directory = directory();
        let heard = directory.hear(NOW, &Parts::with(change));
        assert_eq!(is_new(&heard), expected, "row {number}");
        assert_eq!(heard == Heard::Old, !expected, "row {number}");
    }
    // It is over when the first of advert and placement is, asked for or not.
    let mut directory = directory();
    directory.hear(NOW, &Parts::with(|parts| parts.placement.expires_at = NOW.plus_ms(5)));
    assert_eq!(
        (answering(&directory, NOW.plus_ms(4)).len(), answering(&directory, NOW.plus_ms(5)).len()),
        (1, 0)
    );
    directory.expire(NOW.plus_ms(5));
    assert_eq!(directory.known().count(), 0);
    assert_eq!(directory.declaration(service()), None);
}

#[test]
fn c10_a_service_that_is_removed_answers_nobody() {
    let removed = Parts::with(|parts| (parts.declaration.spec, parts.declaration.fallback) = (None, None));
    assert_eq!(directory().hear(NOW, &removed), Heard::Old);
}

#[test]
fn c10_f15_old_adverts_change_nothing() {
    let mut directory = directory();
    let say = |directory: &mut Directory, sequence, state| {
        is_new(&directory.hear(NOW, &Parts::new().state(sequence, state).sign()))
    };
    assert!(say(&mut directory, 5, ReplicaState::Starting));
    for sequence in [0, 4, 5] {
        assert!(!say(&mut directory, sequence, ReplicaState::Healthy), "sequence {sequence}");
    }
    assert_eq!(answering(&directory, NOW), []);
    assert!(say(&mut directory, 6, ReplicaState::Healthy));
    assert_eq!(answering(&directory, NOW).len(), 1);
    // What leaves stays away, though it said before that it answers and that is heard only now.
    assert!(say(&mut directory, 9, ReplicaState::Leaving));
    for sequence in [6, 7, 8] {
        assert!(!say(&mut directory, sequence, ReplicaState::Healthy), "sequence {sequence}");
    }
    assert_eq!(answering(&directory, NOW), []);
    // The same where it is the first that is heard.
    let mut directory = self::directory();
    assert!(say(&mut directory, 9, ReplicaState::Leaving));
    assert!(!say(&mut directory, 8, ReplicaState::Healthy));
    assert_eq!(answering(&directory, NOW), []);
}

#[test]
fn c10_another_node_takes_no_replica_over() {
    let mut directory = directory();
    assert!(is_new(&directory.hear(NOW, &Parts::new().sign())));
    let rival = || Parts::new().replica(0, samples::replica().generation, 7).state(99, ReplicaState::Healthy);
    assert_eq!(directory.hear(NOW, &rival().sign()), Heard::Old);
    let leaving = rival().state(100, ReplicaState::Leaving).sign();
    assert_eq!(directory.hear(NOW, &leaving), Heard::Old);
    assert_eq!(answering(&directory, NOW), [(8, samples::node(3))]);
    // Once the first is over the other one counts, tidied up or not.
    let later = NOW.plus_ms(30_000);
    let mut rival = rival();
    rival.advert.2 = later.plus_ms(30_000);
    assert!(is_new(&directory.hear(later, &rival.sign())));
    assert_eq!(answering(&directory, later), [(8, samples::node(7))]);
    directory.expire(later);
    assert_eq!(answering(&directory, later), [(8, samples::node(7))]);
}

#[test]
fn c10_the_newest_healthy_replica_of_each_slot_answers() {
    use ReplicaState::{Ended, Failed, Healthy, Leaving, Moving, Preparing, Starting, Unhealthy, Waiting};
    let found = |replicas: &[(u64, ReplicaState)]| {
        let mut directory = directory();
        for (generation, state) in replicas {
            let host = 10 + *generation as u8;
            directory.hear(NOW, &Parts::new().replica(0, *generation, host).state(1, *state).sign());
        }
        answering(&directory, NOW).first().map(|(generation, _)| *generation)
    };
    for state in [Preparing, Starting, Unhealthy, Waiting, Leaving, Failed, Ended] {
        assert_eq!(found(&[(1, state)]), None, "{state}");
        assert_eq!(found(&[(1, Healthy), (2, state)]), Some(1), "{state}");
    }
    assert_eq!(found(&[(1, Healthy), (3, Healthy), (2, Healthy)]), Some(3));
    assert_eq!(found(&[(1, Moving)]), Some(1));
    assert_eq!(found(&[(1, Healthy), (2, Moving)]), Some(1), "who has to go is asked last");
    assert_eq!(found(&[(1, Moving), (2, Moving)]), Some(2));
    // Each slot for itself, and no other service.
    let mut directory = directory();
    for slot in 0..3 {
        directory.hear(NOW, &Parts::new().replica(slot, 1, 3).sign());
        directory.hear(NOW, &Parts::new().of(9, "web").replica(slot, 1, 3).sign());
    }
    let found = directory.answering(NOW, service());
    assert_eq!(found.iter().map(|(replica, _)| replica.slot).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(found.iter().all(|(replica, _)| replica.service == service()));
}

#[test]
fn c10_a_replica_in_doubt_is_left_out_until_it_speaks_again() {
    let mut directory = directory();
    directory.hear(NOW, &Parts::new().replica(0, 1, 5).sign());
    directory.hear(NOW, &Parts::new().replica(0, 2, 6).sign());
    assert_eq!(answering(&directory, NOW), [(2, samples::node(6))]);
    directory.doubt(ReplicaId { generation: 2, ..samples::replica() });
    directory.doubt(ReplicaId { generation: 3, ..samples::replica() });
    assert_eq!(answering(&directory, NOW), [(1, samples::node(5))]);
    assert_eq!(directory.hear(NOW, &Parts::new().replica(0, 2, 6).sign()), Heard::Old);
    assert_eq!(answering(&directory, NOW), [(1, samples::node(5))]);
    directory.hear(NOW, &Parts::new().replica(0, 2, 6).state(2, ReplicaState::Healthy).sign());
    assert_eq!(answering(&directory, NOW), [(2, samples::node(6))]);
}

#[test]
fn c10_the_newest_declaration_is_shown() {
    let mut directory = directory();
    let say = |directory: &mut Directory, revision, slot| {
        let mut parts = Parts::new().replica(slot, 1, 3);
        (parts.declaration.revision, parts.placement.revision) = (revision, revision);
        parts.declaration.fallback = None;
        directory.hear(NOW, &parts.sign());
        directory.declaration(service()).expect("it is known").revision
    };
    assert_eq!(say(&mut directory, 5, 0), 5);
    assert_eq!(say(&mut directory, 4, 1), 5);
    assert_eq!(say(&mut directory, 6, 2), 6);
}

#[test]
fn c10_names_stand_for_ones_own_service_first_then_for_the_only_one() {
    let mut directory = directory();
    let own = samples::node(20);
    let named =
        |name: &str, owner: Option<u8>| ServiceRef { name: name.into(), owner: owner.map(samples::node) };
    let resolve = |directory: &Directory, reference: &ServiceRef, asker| {
        directory.resolve(reference, asker).map(|resolved| resolved.owner)
    };
    assert_eq!(resolve(&directory, &named("web", None), own), Err(UnknownService::None));
    directory.hear(NOW, &Parts::new().of(20, "web").sign());
    directory.hear(NOW, &Parts::new().of(21, "db").sign());
    assert_eq!(resolve(&directory, &named("web", None), own), Ok(own));
    assert_eq!(resolve(&directory, &named("web", None), samples::node(9)), Ok(own), "there is only one");
    assert_eq!(resolve(&directory, &named("db", None), own), Ok(samples::node(21)));
    assert_eq!(resolve(&directory, &named("db", Some(20)), own), Err(UnknownService::None));
    directory.hear(NOW, &Parts::new().of(22, "web").sign());
    assert_eq!(resolve(&directory, &named("web", None), own), Ok(own), "its own");
    assert_eq!(resolve(&directory, &named("web", Some(22)), own), Ok(samples::node(22)));
    let Err(UnknownService::Ambiguous(mut owners)) =
        resolve(&directory, &named("web", None), samples::node(9))
    else {
        panic!("two have one")
    };
    owners.sort_unstable();
    let mut expected = [20, 22].map(samples::node);
    expected.sort_unstable();
    assert_eq!(owners, expected);
    let resolved = directory.resolve(&named("web", Some(22)), own).expect("it is known");
    assert_eq!(resolved.service, ServiceId::of(&samples::node(22), "web"));
}

#[test]
fn c10_one_node_fills_no_directory() {
    let mut directory = directory();
    // The signatures of the many would take long to make: only whose it is and which replica matters.
    for slot in 0..1_024 {
        assert!(is_new(&directory.hear(NOW, &Parts::new().replica(slot, 1, 3).sign())), "{slot}");
    }
    assert_eq!(directory.hear(NOW, &Parts::new().replica(1_024, 1, 3).sign()), Heard::Old);
    assert!(is_new(&directory.hear(NOW, &Parts::new().replica(1_024, 1, 5).sign())), "another node has room");
    // What is known goes on to be heard of, and what is over makes room.
    assert!(is_new(
        &directory.hear(NOW, &Parts::new().replica(0, 1, 3).state(2, ReplicaState::Leaving).sign())
    ));
    let later = NOW.plus_ms(30_000);
    directory.expire(later);
    let mut parts = Parts::new().replica(1_025, 1, 3);
    parts.advert.2 = later.plus_ms(30_000);
    assert!(is_new(&directory.hear(later, &parts.sign())));
}
