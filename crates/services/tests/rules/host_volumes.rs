//! Volumes of a replica, as its host treats them.

use crate::bench::{Bench, checked, declared, place, replica, spec};
use opensky_services::{HostEffect, HostInput};
use opensky_types::{
    Hash,
    job::Blob,
    samples,
    service::{Refusal, ReplicaState, Restart, SaveId, Saved, ServiceSpec, Volumes},
};

/// Saved every ten seconds.
fn with_volumes(spec: ServiceSpec) -> ServiceSpec {
    let volumes = Volumes { save_ms: 10_000, ..samples::volumes() };
    ServiceSpec { volumes: Some(volumes), ..spec }
}

fn blob(number: u64) -> Blob {
    Blob { hash: Hash::of(&number.to_le_bytes()), size_bytes: number }
}

fn id(generation: u64, count: u64) -> SaveId {
    SaveId { generation, count }
}

impl Bench {
    fn with_volumes() -> Self {
        Self::running(&with_volumes(spec(Restart::Always)))
    }

    fn is_to_save(&self) -> bool {
        self.effects.contains(&HostEffect::Save { replica: replica(0, 1) })
    }

    fn saved(&mut self, result: Result<Blob, String>) {
        self.tell(HostInput::Saved { replica: replica(0, 1), result });
    }

    fn held(&mut self, from: u8, held: SaveId) {
        let service = replica(0, 1).service;
        let from = samples::node(from);
        self.tell(HostInput::Report { ask: 1, from, service, renewed: Vec::new(), held: vec![(0, held)] });
    }

    /// What became of it, once nothing of it is left.
    fn gone(&self) -> Option<bool> {
        self.effects.iter().find_map(|effect| match effect {
            HostEffect::Gone { is_handed_over, .. } => Some(*is_handed_over),
            _ => None,
        })
    }

    /// Withdrawn, and its program has ended.
    fn over(&mut self) {
        assert_eq!(self.withdraw(samples::node(4)), Ok(()));
        self.after(1_000);
        self.stopped(1);
    }

    fn told(&mut self) -> Option<Saved> {
        self.report().expect("it is here").saved
    }
}

#[test]
fn c10_volumes_are_saved_from_time_to_time_while_the_program_runs() {
    let mut bench = Bench::with_volumes();
    assert_eq!(bench.told(), None);
    bench.after(9_999);
    assert!(!bench.is_to_save());
    bench.after(1);
    assert!(bench.is_to_save());
    bench.after(60_000);
    assert!(!bench.is_to_save(), "one at a time");
    bench.saved(Ok(blob(1)));
    assert_eq!(bench.told().map(|saved| (saved.id, saved.blob)), Some((id(1, 1), blob(1))));
    // The same again is no other save, but a newer one.
    bench.after(10_000);
    bench.saved(Ok(blob(1)));
    let told = bench.told().expect("it was saved");
    assert_eq!((told.id, told.at), (id(1, 1), bench.now));
    bench.after(10_000);
    bench.saved(Ok(blob(2)));
    assert_eq!(bench.told().map(|saved| saved.id), Some(id(1, 2)));
    // What goes wrong is told, and tried again.
    bench.after(10_000);
    bench.saved(Err("the disk is full".into()));
    let report = bench.report().expect("it is here");
    assert_eq!(report.problem, "its volumes cannot be saved: the disk is full");
    assert_eq!((report.state, report.saved.map(|saved| saved.id)), (ReplicaState::Healthy, Some(id(1, 2))));
    bench.after(10_000);
    assert!(bench.is_to_save());
    bench.saved(Ok(blob(3)));
    assert_eq!(bench.report().map(|report| report.problem), Some(String::new()));
}

#[test]
fn c10_a_replica_that_has_ended_stays_until_a_keeper_has_its_last_save() {
    let mut bench = Bench::with_volumes();
    bench.over();
    assert!(bench.is_to_save() && bench.gone().is_none());
    assert_eq!(bench.report().map(|report| report.state), Some(ReplicaState::Leaving));
    bench.saved(Ok(blob(1)));
    assert_eq!((bench.gone(), bench.told().map(|saved| saved.id)), (None, Some(id(1, 1))));
    // Neither an earlier save nor the word of a stranger, or of an owner who keeps nothing, is enough.
    bench.held(4, id(0, 9));
    bench.held(9, id(1, 1));
    bench.held(2, id(1, 1));
    assert_eq!(bench.gone(), None);
    bench.held(4, id(1, 1));
    assert_eq!(bench.gone(), Some(true));
}

#[test]
fn c10_without_a_keeper_volumes_stay_where_they_are() {
    let mut bench = Bench::with_volumes();
    bench.over();
    bench.saved(Ok(blob(1)));
    bench.after(10 * 60_000 - 1);
    assert_eq!(bench.gone(), None);
    bench.after(1);
    assert_eq!(bench.gone(), Some(false), "it ends, and its volumes do not");
}

#[test]
fn c10_what_could_not_be_saved_at_the_end_is_tried_again() {
    let mut bench = Bench::with_volumes();
    bench.over();
    bench.saved(Err("the disk is full".into()));
    bench.held(4, id(0, 9));
    assert_eq!(bench.gone(), None, "nobody can have what was not saved");
    bench.after(10_000);
    assert!(bench.is_to_save());
    bench.saved(Ok(blob(1)));
    bench.held(4, id(1, 1));
    assert_eq!(bench.gone(), Some(true));
}

#[test]
fn c10_a_replica_that_others_go_on_with_has_nothing_to_hand_over() {
    let mut bench = Bench::with_volumes();
    bench.over();
    bench.held(4, id(2, 1));
    bench.saved(Ok(blob(1)));
    assert_eq!(bench.gone(), Some(false), "what it wrote last stays, since nobody has it");
    // One that never ran has written nothing, but the one before it may have.
    let mut bench = Bench::new();
    let spec = with_volumes(spec(Restart::Always));
    assert_eq!(bench.place(&declared(1, &spec), place(&samples::keeper(), |_| {})), Ok(()));
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    assert_eq!(bench.gone(), Some(false));
}

#[test]
fn c10_what_a_program_leaves_that_is_not_to_run_again_is_saved_at_once() {
    let mut bench = Bench::running(&with_volumes(spec(Restart::OnFailure)));
    bench.ended(1, Ok(0));
    assert_eq!(bench.report().map(|report| report.state), Some(ReplicaState::Ended));
    assert!(bench.is_to_save());
    bench.saved(Ok(blob(1)));
    bench.after(60_000);
    assert!(!bench.is_to_save(), "nothing has changed since");
    bench.held(4, id(1, 1));
    assert_eq!(bench.gone(), None);
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    assert_eq!(bench.gone(), Some(true));
}

#[test]
fn c10_no_program_begins_while_its_volumes_are_saved() {
    let mut bench = Bench::with_volumes();
    bench.after(10_000);
    assert!(bench.is_to_save());
    bench.ended(1, Ok(1));
    bench.after(5_000);
    assert_eq!(bench.launches(), [] as [u32; 0]);
    bench.saved(Ok(blob(1)));
    assert_eq!(bench.launches(), [2]);
}

#[test]
fn c10_a_save_under_way_is_not_the_last_one() {
    let mut bench = Bench::with_volumes();
    bench.after(10_000);
    assert!(bench.is_to_save());
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    bench.after(20_000);
    assert_eq!(bench.stops(), [], "a program that stands still is not ended");
    bench.saved(Ok(blob(1)));
    assert_eq!(bench.stops().len(), 1);
    bench.stopped(1);
    assert!(bench.is_to_save(), "it has written since");
    bench.saved(Ok(blob(2)));
    bench.held(4, id(1, 1));
    assert_eq!(bench.gone(), None);
    bench.held(4, id(1, 2));
    assert_eq!(bench.gone(), Some(true));
}

#[test]
fn c10_health_is_not_looked_at_while_volumes_are_saved() {
    let mut bench = Bench::running(&with_volumes(checked()));
    bench.tell(HostInput::Probed { replica: replica(0, 1), launch: 1, result: Ok(()) });
    bench.after(10_000);
    assert!(bench.is_to_save());
    for _ in 0..9 {
        bench.tell(HostInput::Probed { replica: replica(0, 1), launch: 1, result: Err("no answer".into()) });
        assert!(!bench.effects.iter().any(|effect| matches!(effect, HostEffect::Probe { .. })));
        bench.after(1_000);
    }
    assert_eq!(bench.report().map(|report| report.state), Some(ReplicaState::Healthy));
    bench.saved(Ok(blob(1)));
    assert!(bench.effects.iter().any(|effect| matches!(effect, HostEffect::Probe { .. })));
}

#[test]
fn c10_volumes_of_a_slot_are_one_replicas_at_a_time() {
    let mut bench = Bench::with_volumes();
    let spec = with_volumes(spec(Restart::Always));
    let other = |slot, generation| {
        place(&samples::keeper(), |placement| placement.replica = replica(slot, generation))
    };
    assert_eq!(bench.place(&declared(1, &spec), other(0, 2)), Err(Refusal::Full));
    assert_eq!(bench.place(&declared(1, &spec), other(1, 2)), Ok(()));
    // They count as what the replica takes.
    let reserved = bench.effects.iter().find_map(|effect| match effect {
        HostEffect::Reserve(taken) => Some(taken.disk_bytes),
        _ => None,
    });
    assert_eq!(reserved, Some((2 * (32 + 16)) << 20));
    // Nobody makes a host fetch more than volumes can be.
    let large = Saved { blob: Blob { size_bytes: 1 << 40, ..blob(1) }, ..samples::saved() };
    let declared = Box::new(declared(1, &spec));
    let (from, placement) = (samples::node(4), other(2, 1));
    bench.tell(HostInput::Place { ask: 1, from, declared, placement, saved: Some(large) });
    assert_eq!(bench.answer(), Err(Refusal::Unsound));
}
