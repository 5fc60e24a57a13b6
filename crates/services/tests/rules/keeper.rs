//! What a keeper does on each word of hosts, owners and other keepers.

use crate::bench::{NOW, declare, sky, spec};
use opensky_services::{Keeper, KeeperConfig, KeeperEffect, KeeperInput};
use opensky_types::{
    NodeId, ServiceId, Timestamp,
    reason::MisfitCounts,
    samples,
    service::{
        Declaration, Declared, Placement, Refusal, ReplicaId, ReplicaReport, ReplicaState, Restart,
        ServiceSpec,
    },
};
use std::sync::LazyLock;

/// A keeper on one node, told by hand.
pub struct Desk {
    pub keeper: Keeper,
    pub now: Timestamp,
    pub effects: Vec<KeeperEffect>,
}

pub fn many(replicas: u16) -> ServiceSpec {
    ServiceSpec { replicas, ..spec(Restart::Always) }
}

pub fn keepers() -> [NodeId; 3] {
    [4, 5, 6].map(samples::node)
}

pub fn service() -> ServiceId {
    // Its hash and its owner's key are worked out once.
    static SERVICE: LazyLock<ServiceId> = LazyLock::new(|| samples::replica().service);
    *SERVICE
}

impl Desk {
    pub fn new(number: u8) -> Self {
        let keeper = Keeper::new(KeeperConfig::new(sky(), samples::node(number)));
        Self { keeper, now: NOW, effects: Vec::new() }
    }

    /// The first keeper of revision 1, acting.
    fn acting(replicas: u16) -> Self {
        let mut desk = Self::new(4);
        desk.declared(&declare(1, &many(replicas), &keepers()));
        assert_eq!(desk.keeper.stand(service()), Some((1, true, 0)));
        desk
    }

    pub fn tell(&mut self, input: KeeperInput) -> &[KeeperEffect] {
        self.effects.clear();
        self.keeper.handle(self.now, input, &mut self.effects);
        &self.effects
    }

    /// Time passes, with a tick each second; what is ordered at its end is kept.
    pub fn after(&mut self, ms: u64) -> &[KeeperEffect] {
        for _ in 0..ms.saturating_sub(1) / 1_000 {
            self.jump(1_000);
        }
        self.jump(ms - ms.saturating_sub(1) / 1_000 * 1_000)
    }

    /// Nothing happens for so long.
    fn jump(&mut self, ms: u64) -> &[KeeperEffect] {
        self.now = self.now.plus_ms(ms);
        self.tell(KeeperInput::Tick)
    }

    pub fn declared(&mut self, declared: &Declared) {
        let declaration = Box::new(declared.check(sky()).expect("it is sound"));
        self.tell(KeeperInput::Declared { declaration, declared: Box::new(declared.clone()) });
    }

    fn restored(&mut self, declared: &Declared) {
        let declaration = Box::new(declared.check(sky()).expect("it is sound"));
        self.tell(KeeperInput::Restored {
            declaration,
            declared: Box::new(declared.clone()),
            data: Vec::new(),
        });
    }

    pub fn found(&mut self, slot: u16, nodes: &[u8]) -> Vec<Placement> {
        let nodes = nodes.iter().map(|number| samples::node(*number)).collect();
        let counts = MisfitCounts::default();
        self.tell(KeeperInput::Found { service: service(), slot, nodes, counts });
        let placement = |effect: &KeeperEffect| match effect {
            KeeperEffect::Place { placement, .. } => Some(placement.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(placement).collect()
    }

    /// Slots that nodes were just looked for, and who is left out.
    pub fn finds(&self) -> Vec<(u16, Vec<NodeId>)> {
        let find = |effect: &KeeperEffect| match effect {
            KeeperEffect::Find { slot, used, .. } => Some((*slot, used.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(find).collect()
    }

    pub fn withdrawn(&self) -> Vec<ReplicaId> {
        let withdrawn = |effect: &KeeperEffect| match effect {
            KeeperEffect::Withdraw { replica, .. } => Some(*replica),
            _ => None,
        };
        self.effects.iter().filter_map(withdrawn).collect()
    }

    fn asked(&self) -> Vec<NodeId> {
        let asked = |effect: &KeeperEffect| match effect {
            KeeperEffect::AskReport { to, .. } => Some(*to),
            _ => None,
        };
        self.effects.iter().filter_map(asked).collect()
    }

    fn handed(&self) -> Vec<NodeId> {
        let handed = |effect: &KeeperEffect| match effect {
            KeeperEffect::Hand { to, .. } => Some(*to),
            _ => None,
        };
        self.effects.iter().filter_map(handed).collect()
    }

    fn placed_at(&mut self, replica: ReplicaId, answer: Option<Result<(), Refusal>>) {
        self.tell(KeeperInput::PlacedAt { replica, answer });
    }

    fn reported(&mut self, node: u8, reports: &[(ReplicaId, u64, ReplicaState, u64)]) {
        let report =
            |(replica, revision, state, for_ms): &(ReplicaId, u64, ReplicaState, u64)| ReplicaReport {
                replica: *replica,
                revision: *revision,
                state: *state,
                for_ms: *for_ms,
                restarts: 0,
                connections: 0,
                cpu_percent: 0,
                problem: String::new(),
                last_words: String::new(),
                saved: None,
            };
        let reports = Some(reports.iter().map(report).collect());
        self.tell(KeeperInput::Reported { service: service(), node: samples::node(node), reports });
    }

    fn said(&mut self, node: u8, revision: u64, is_acting: bool, given_up: u64) {
        let node = samples::node(node);
        self.tell(KeeperInput::KeeperSaid {
            service: service(),
            node,
            revision,
            is_acting,
            given_up,
            saved: Vec::new(),
        });
    }

    fn acts(&self) -> bool {
        self.keeper.stand(service()).is_some_and(|(_, acts, _)| acts)
    }

    /// What is known of replicas: slot, node, and whether it was asked to end.
    fn replicas(&self) -> Vec<(u16, NodeId, bool)> {
        let view = self.keeper.view(self.now, service()).expect("it is kept");
        view.replicas.iter().map(|placed| (placed.replica.slot, placed.node, placed.is_withdrawn)).collect()
    }
}

#[test]
fn c10_only_who_is_named_keeps_a_service() {
    let whole = declare(1, &many(1), &keepers());
    let mut desk = Desk::new(9);
    desk.declared(&whole);
    assert_eq!((desk.keeper.stand(service()), desk.effects.len()), (None, 0));
    let mut desk = Desk::new(4);
    desk.declared(&whole);
    assert!(desk.effects.contains(&KeeperEffect::Remember { service: service() }));
    assert!(
        desk.effects
            .iter()
            .any(|effect| matches!(effect, KeeperEffect::Hold { blobs, .. } if blobs.len() == 1))
    );
    assert_eq!(desk.handed(), [5, 6].map(samples::node), "the others hear of it from here");
}

#[test]
fn c10_the_highest_revision_counts() {
    let mut desk = Desk::new(4);
    desk.declared(&declare(3, &many(2), &keepers()));
    for revision in [1, 2, 3] {
        desk.declared(&declare(revision, &many(5), &keepers()));
        assert_eq!(desk.effects.len(), 0, "revision {revision}");
        desk.restored(&declare(revision, &many(5), &keepers()));
        assert_eq!(desk.effects.len(), 0, "revision {revision}, read back late");
    }
    assert_eq!(desk.keeper.stand(service()).map(|stand| stand.0), Some(3));
    desk.declared(&declare(4, &many(1), &keepers()));
    assert_eq!(desk.keeper.stand(service()).map(|stand| stand.0), Some(4));
}

#[test]
fn c10_p3_one_owner_fills_no_keeper() {
    let mut desk = Desk::new(4);
    let mut declare = |owner: u8, number: usize| {
        let name = format!("service-{number}");
        let declaration = Declaration {
            owner: samples::node(owner),
            name,
            revision: 1,
            fallback: None,
            ..samples::declaration()
        };
        let service = declaration.service();
        let declared = Box::new(samples::declared());
        desk.tell(KeeperInput::Declared { declaration: Box::new(declaration), declared });
        desk.keeper.stand(service).is_some()
    };
    assert!((0..256).all(|number| declare(9, number)));
    assert!(!declare(9, 256));
    assert!(declare(10, 0), "another owner has room");
    assert!((0..300).all(|number| declare(4, number)), "its own are its own");
}

#[test]
fn c10_f1_keepers_stand_in_one_after_another() {
    for (number, acts_after_ms) in [(4, 0), (5, 3_000), (6, 5_000)] {
        let mut desk = Desk::new(number);
        desk.declared(&declare(1, &many(1), &keepers()));
        while !desk.acts() {
            desk.after(100);
            assert!(desk.now.ms_since(NOW) < 60_000);
        }
        assert_eq!(desk.now.ms_since(NOW), acts_after_ms, "keeper {number}");
        // Whoever comes before it and acts is left to it; who comes later is not.
        desk.said(6, 1, true, 0);
        assert!(desk.acts(), "keeper {number}");
        desk.said(9, 1, true, 0);
        assert!(desk.acts(), "a stranger says it to keeper {number}");
        desk.said(4, 1, false, 0);
        assert!(desk.acts(), "it says that it does not act");
        desk.said(4, 1, true, 0);
        assert_eq!(desk.acts(), number == 4);
    }
}

#[test]
fn c10_f1_keepers_that_restart_listen_and_take_their_turns() {
    let mut starts = Vec::new();
    for number in [4, 5, 6] {
        let mut desk = Desk::new(number);
        desk.restored(&declare(1, &many(1), &keepers()));
        while !desk.acts() {
            desk.after(100);
        }
        starts.push(desk.now.ms_since(NOW));
    }
    assert_eq!(starts, [11_000, 13_000, 15_000]);
    assert!(starts[0] > 10_000, "longer than hosts take between two adverts");
}

#[test]
fn c10_f1_who_sees_a_later_revision_leaves_it_to_others() {
    let mut desk = Desk::acting(1);
    let seen = |revision| KeeperInput::Seen {
        replica: samples::replica(),
        node: samples::node(3),
        revision,
        state: ReplicaState::Healthy,
    };
    desk.tell(seen(1));
    desk.after(100);
    assert!(desk.acts());
    desk.tell(KeeperInput::Seen {
        replica: ReplicaId { slot: 1, ..samples::replica() },
        node: samples::node(3),
        revision: 2,
        state: ReplicaState::Healthy,
    });
    desk.after(100);
    assert!(!desk.acts());
    assert_eq!(desk.withdrawn(), [], "and ends nothing");
    desk.declared(&declare(2, &many(1), &keepers()));
    assert!(desk.acts());
}

#[test]
fn c10_who_is_not_named_any_more_forgets_once_another_knows() {
    let mut desk = Desk::acting(1);
    desk.declared(&declare(2, &many(1), &[5, 6].map(samples::node)));
    assert!(!desk.acts());
    assert_eq!(desk.handed(), [5, 6].map(samples::node));
    desk.said(5, 1, true, 0);
    assert_eq!(desk.handed(), [samples::node(5)], "it does not know yet");
    desk.after(60_000);
    assert!(desk.keeper.stand(service()).is_some());
    desk.said(5, 2, false, 0);
    desk.after(100);
    assert!(desk.effects.contains(&KeeperEffect::Forget { service: service() }));
    assert_eq!(desk.keeper.stand(service()), None);
}

#[test]
fn c10_f1_no_two_keepers_and_no_two_lives_name_a_replica_alike() {
    let mut named = Vec::new();
    for number in [4, 5, 6] {
        for life in 0..3 {
            let mut desk = Desk::new(number);
            // No keeper restarts within a millisecond.
            desk.now = desk.now.plus_ms(20_000 + life);
            desk.restored(&declare(1, &many(1), &keepers()));
            desk.after(40_000);
            named.push(desk.found(0, &[3])[0].replica);
        }
    }
    named.sort_unstable();
    named.dedup();
    assert_eq!(named.len(), 9);
    // What was seen is always exceeded, even where clocks go wrong.
    let mut desk = Desk::acting(1);
    let generation = u64::MAX / 2;
    let replica = ReplicaId { slot: 0, generation, ..samples::replica() };
    desk.tell(KeeperInput::Seen {
        replica,
        node: samples::node(7),
        revision: 1,
        state: ReplicaState::Failed,
    });
    desk.reported(7, &[(replica, 1, ReplicaState::Failed, 0)]);
    desk.after(2_000);
    let placements = desk.found(0, &[3]);
    assert!(placements[0].replica.generation > generation);
}

#[test]
fn c10_a_slot_goes_where_fewest_run() {
    let mut desk = Desk::acting(3);
    assert_eq!(desk.finds().len(), 3);
    let nodes: Vec<NodeId> =
        (0..3).flat_map(|slot| desk.found(slot, &[3, 7, 8])).map(|placement| placement.node).collect();
    assert_eq!(nodes, [3, 7, 8].map(samples::node));
    assert_eq!(desk.found(0, &[9]), [], "it is placed already");
    assert_eq!(desk.found(3, &[9]), [], "there is no such slot");
}

#[test]
fn c10_where_nodes_are_few_one_runs_several() {
    let mut desk = Desk::acting(2);
    assert_eq!(desk.found(0, &[3]).len(), 1);
    desk.after(2_000);
    assert_eq!(desk.finds(), [(1, vec![samples::node(3)])], "elsewhere if it can");
    assert_eq!(desk.found(1, &[]), []);
    assert_eq!(desk.finds(), [(1, vec![])], "then anywhere");
    assert_eq!(desk.found(1, &[3]).len(), 1);
    // Nobody at all: it is said, and looked for again after a while.
    let mut desk = Desk::acting(1);
    (0..3).for_each(|_| drop(desk.found(0, &[])));
    let view = desk.keeper.view(desk.now, service()).expect("it is kept");
    assert!(view.notes.iter().any(|note| note.text.to_string().contains("no node fits")));
    desk.after(1_900);
    assert_eq!(desk.finds().len(), 0);
    desk.after(100);
    assert_eq!(desk.finds().len(), 1);
}

#[test]
fn c10_f1_a_node_that_says_no_or_nothing_is_left_alone() {
    for (answer, stays_known) in [(Some(Err(Refusal::Full)), false), (None, true)] {
        let mut desk = Desk::acting(1);
        let replica = desk.found(0, &[3])[0].replica;
        desk.placed_at(replica, answer);
        desk.after(100);
        assert_eq!(desk.finds(), [(0, vec![samples::node(3)])]);
        let known: Vec<_> = if stays_known { vec![(0, samples::node(3), true)] } else { Vec::new() };
        assert_eq!(desk.replicas(), known);
        // Who did not answer may run it all the same: it is asked, and told that it is not wanted.
        desk.after(1_000);
        assert_eq!((desk.asked().len(), desk.withdrawn().len()), (known.len(), known.len()));
        desk.after(1_000);
        desk.reported(3, &[]);
        assert_eq!(desk.replicas(), []);
    }
    // The answer was lost, and the host has said since that it runs it.
    let mut desk = Desk::acting(1);
    let replica = desk.found(0, &[3])[0].replica;
    desk.reported(3, &[(replica, 1, ReplicaState::Starting, 0)]);
    desk.placed_at(replica, None);
    assert_eq!(desk.replicas(), [(0, samples::node(3), false)]);
}

/// A sky of one node: there is no other to try.
#[test]
fn c10_a_node_that_failed_is_tried_again_where_it_is_the_only_one() {
    let only = samples::node(3);
    let mut desk = Desk::acting(1);
    let mut tries = 0;
    while desk.now.ms_since(NOW) < 20_000 {
        desk.after(100);
        // The market: the only node, unless it is left out.
        while let [(0, used)] = &desk.finds()[..] {
            let nodes: &[u8] = if used.contains(&only) { &[] } else { &[3] };
            for placement in desk.found(0, nodes) {
                tries += 1;
                desk.placed_at(placement.replica, Some(Err(Refusal::Disk)));
            }
        }
    }
    assert!((9..=11).contains(&tries), "every two seconds: {tries}");
}

#[test]
fn c10_f12_a_lost_replica_is_replaced_and_its_node_not_asked() {
    let mut desk = Desk::acting(1);
    let first = desk.found(0, &[3])[0].replica;
    desk.placed_at(first, Some(Ok(())));
    desk.reported(3, &[(first, 1, ReplicaState::Healthy, 5_000)]);
    desk.after(3_900);
    assert_eq!(desk.finds().len(), 0);
    desk.after(100);
    assert_eq!(desk.finds(), [(0, vec![samples::node(3)])]);
    let second = desk.found(0, &[7])[0].replica;
    assert!(second > first);
    desk.placed_at(second, Some(Ok(())));
    // It is back before the other one answers, and stays.
    desk.reported(3, &[(first, 1, ReplicaState::Healthy, 9_000)]);
    desk.after(100);
    assert_eq!(desk.withdrawn(), [second]);
}

#[test]
fn c10_f12_who_takes_over_again_does_not_end_what_another_kept() {
    let mut desk = Desk::new(5);
    desk.declared(&declare(1, &many(1), &keepers()));
    desk.after(3_000);
    assert!(desk.acts());
    let first = desk.found(0, &[3])[0].replica;
    desk.placed_at(first, Some(Ok(())));
    desk.reported(3, &[(first, 1, ReplicaState::Healthy, 5_000)]);
    let second = ReplicaId { generation: first.generation + 8, ..first };
    desk.reported(7, &[(second, 1, ReplicaState::Healthy, 5_000)]);
    desk.after(100);
    assert_eq!(desk.withdrawn(), [first], "the newer one stays");
    desk.said(4, 1, true, 0);
    assert!(!desk.acts());
    assert_eq!(desk.replicas(), [(0, samples::node(3), false), (0, samples::node(7), false)]);
    // The other keeper kept the first and ended the second; then it dies.
    for _ in 0..4 {
        desk.after(1_000);
        desk.reported(3, &[(first, 1, ReplicaState::Healthy, 9_000)]);
        desk.reported(7, &[]);
    }
    assert!(desk.acts());
    desk.after(100);
    assert_eq!((desk.withdrawn(), desk.finds()), (vec![], vec![]));
}

#[test]
fn c10_f15_reports_of_others_and_of_other_nodes_change_nothing() {
    let mut desk = Desk::acting(1);
    let replica = desk.found(0, &[3])[0].replica;
    desk.placed_at(replica, Some(Ok(())));
    let other = ReplicaId { service: ServiceId::of(&samples::node(9), "web"), ..replica };
    desk.reported(3, &[(other, 1, ReplicaState::Healthy, 5_000)]);
    desk.reported(7, &[(replica, 1, ReplicaState::Failed, 5_000)]);
    let view = desk.keeper.view(desk.now, service()).expect("it is kept");
    assert!(view.replicas.len() == 1 && view.replicas[0].report.is_none());
    // An answer that is older than the placement does not end it.
    desk.after(1_900);
    desk.reported(3, &[]);
    assert_eq!(desk.replicas().len(), 1);
    desk.after(100);
    desk.reported(3, &[]);
    assert_eq!(desk.replicas().len(), 0);
}

/// A machine that slept, or whose clock was set: nobody is lost for that, and who acts listens first.
#[test]
fn c10_a_keeper_that_was_away_looks_again_before_it_acts() {
    for later in [true, false] {
        let mut desk = Desk::acting(1);
        let replica = desk.found(0, &[3])[0].replica;
        desk.placed_at(replica, Some(Ok(())));
        desk.after(2_000);
        desk.reported(3, &[(replica, 1, ReplicaState::Healthy, 5_000)]);
        let hour_ms = 3_600_000;
        let now = if later { hour_ms } else { 0 };
        desk.now = Timestamp::from_millis(NOW.as_millis() - hour_ms / 2 + now);
        // An answer of before comes first.
        assert_eq!(desk.found(0, &[7]), []);
        desk.after(100);
        assert!(!desk.acts());
        assert_eq!((desk.finds(), desk.withdrawn(), desk.asked()), (vec![], vec![], vec![samples::node(3)]));
        for _ in 0..12 {
            desk.reported(3, &[(replica, 1, ReplicaState::Healthy, 5_000)]);
            desk.after(1_000);
            assert_eq!((desk.finds(), desk.withdrawn()), (vec![], vec![]));
        }
        assert!(desk.acts());
        let renews = |effect: &KeeperEffect| matches!(effect, KeeperEffect::AskReport { renewed, .. } if renewed.len() == 1);
        desk.after(1_000);
        let view = desk.keeper.view(desk.now, service()).expect("it is kept");
        assert!(
            !view.replicas[0].is_lost && desk.effects.iter().filter(|effect| renews(effect)).count() <= 1
        );
    }
}

#[test]
fn c10_placements_are_renewed_before_they_end_by_who_acts() {
    let mut desk = Desk::acting(1);
    let placement = desk.found(0, &[3])[0].clone();
    desk.placed_at(placement.replica, Some(Ok(())));
    let hour_ms = 3_600_000;
    assert_eq!(placement.expires_at, desk.now.plus_ms(hour_ms));
    let mut expiry = placement.expires_at;
    for _ in 0..3_000 {
        desk.jump(1_900);
        for effect in desk.effects.clone() {
            if let KeeperEffect::AskReport { renewed, .. } = effect {
                for renewed in renewed {
                    assert!(expiry.ms_since(desk.now) >= hour_ms / 2, "long before it ends");
                    assert_eq!((renewed.replica, renewed.node), (placement.replica, placement.node));
                    expiry = renewed.expires_at;
                }
            }
        }
        desk.reported(3, &[(placement.replica, 1, ReplicaState::Healthy, 5_000)]);
    }
    assert!(expiry > desk.now.plus_ms(hour_ms / 2));
}

#[test]
fn c10_what_is_removed_ends_and_is_remembered_for_a_month() {
    let mut desk = Desk::acting(1);
    let replica = desk.found(0, &[3])[0].replica;
    desk.placed_at(replica, Some(Ok(())));
    let mut removed = declare(2, &many(1), &keepers());
    let mut declaration = removed.declaration.decode_unverified().expect("it is one");
    (declaration.spec, declaration.fallback) = (None, None);
    removed.declaration = opensky_types::Signed::sign(&declaration, &samples::consumer());
    (removed.spec, removed.fallback) = (None, None);
    desk.declared(&removed);
    assert_eq!(desk.withdrawn(), [replica]);
    assert_eq!(desk.found(0, &[7]), []);
    desk.after(2_000);
    desk.reported(3, &[]);
    assert_eq!(desk.replicas(), []);
    // A host that was away comes back with it.
    desk.tell(KeeperInput::Seen {
        replica,
        node: samples::node(3),
        revision: 1,
        state: ReplicaState::Healthy,
    });
    desk.after(100);
    assert_eq!(desk.withdrawn(), [replica]);
    let day_ms = 24 * 3_600_000;
    desk.jump(29 * day_ms);
    desk.after(60_000);
    assert!(desk.keeper.stand(service()).is_some());
    desk.jump(day_ms);
    desk.after(3_000);
    desk.reported(3, &[]);
    desk.after(100);
    assert!(desk.effects.contains(&KeeperEffect::Forget { service: service() }));
}
