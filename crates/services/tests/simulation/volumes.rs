//! Services with volumes: each program counts up in its own, so that what is lost can be seen.

use crate::{
    programs::Behaviour,
    settle,
    sky::{CALM, STEP_MS, Sky, Weather},
    spec, stays,
};
use opensky_types::{
    Hash, ServiceId,
    job::Blob,
    service::{ReplicaId, Saved, ServiceSpec, Volume, Volumes},
};
use std::collections::{BTreeMap, BTreeSet};

const KEEPERS: [usize; 3] = [0, 1, 2];
const SLOTS: [u16; 7] = [0, 0, 0, 4, 4, 4, 4];
/// Time between two saves, and how long a host is waited for, in milliseconds.
const SAVE_MS: u64 = 2_000;
const WAIT_MS: u64 = 20_000;
/// Longest time from a save to its being held: the save itself, a question, the fetch, and both once more.
const HELD_MS: u64 = 6_000;

/// The volumes on one node. Unlike what is in memory they are there after a crash.
#[derive(Debug, Default)]
pub struct Store {
    /// What was counted to in each slot, and the generation that counted last.
    counts: BTreeMap<(ServiceId, u16), (u64, u64)>,
    blobs: BTreeSet<Hash>,
    /// Every start: when, whose, and what it began with.
    pub begins: Vec<(u64, ReplicaId, u64)>,
}

impl Store {
    /// A program starts: with what is here, unless what was saved is of a later one.
    pub fn begin(&mut self, now: u64, replica: ReplicaId, saved: Option<Saved>) {
        let (generation, count) = self.counts.entry((replica.service, replica.slot)).or_default();
        if let Some(saved) = saved.filter(|saved| saved.id.generation > *generation) {
            assert!(self.blobs.contains(&saved.blob.hash), "{replica} starts without what it begins with");
            *count = saved.blob.size_bytes;
        }
        *generation = replica.generation;
        self.begins.push((now, replica, *count));
    }

    /// What runs counts on.
    pub fn write(&mut self, running: impl Iterator<Item = ReplicaId>) {
        for replica in running {
            if let Some((generation, count)) = self.counts.get_mut(&(replica.service, replica.slot)) {
                assert_eq!(*generation, replica.generation, "two programs have the same volumes");
                *count += 1;
            }
        }
    }

    /// The size of a blob tells what is in it.
    pub fn save(&mut self, replica: ReplicaId) -> Option<Blob> {
        let (generation, count) = *self.counts.get(&(replica.service, replica.slot))?;
        assert_eq!(generation, replica.generation, "another one's volumes are saved");
        let blob = Blob { hash: Hash::of_value("test volumes", &(replica, count)), size_bytes: count };
        self.blobs.insert(blob.hash);
        Some(blob)
    }

    pub fn forget(&mut self, replica: ReplicaId) {
        let slot = (replica.service, replica.slot);
        if self.counts.get(&slot).is_some_and(|(generation, _)| *generation == replica.generation) {
            self.counts.remove(&slot);
        }
    }

    pub fn has(&self, blob: Blob) -> bool {
        self.blobs.contains(&blob.hash)
    }

    pub fn keep(&mut self, blob: Blob) {
        self.blobs.insert(blob.hash);
    }
}

fn with_volumes(behaviour: Behaviour, number: u64, replicas: u16) -> ServiceSpec {
    let mount = Volume { name: "data".into(), path: "/data".into(), size_bytes: 1 << 20 };
    let volumes = Volumes { mounts: vec![mount], save_ms: SAVE_MS, wait_ms: WAIT_MS };
    ServiceSpec { name: "db".into(), volumes: Some(volumes), ..spec(behaviour, number, replicas) }
}

fn deployed(seed: u64, slots: &[u16], replicas: u16) -> (Sky, ServiceId) {
    let mut sky = Sky::new(seed, slots);
    let service = sky.declare("db", &KEEPERS, Some(with_volumes(Behaviour::Good, 1, replicas)));
    settle(&mut sky, service, 10_000);
    sky.run(10_000, |_| {});
    (sky, service)
}

/// How far each slot has counted, wherever that was.
fn counted(sky: &Sky, service: ServiceId, most: &mut BTreeMap<u16, u64>) {
    for node in &sky.nodes {
        for ((of, slot), (_, count)) in &node.store.counts {
            if *of == service {
                let known = most.entry(*slot).or_default();
                *known = (*known).max(*count);
            }
        }
    }
}

/// Starts since `from` in their order, each with its slot and what it began with.
fn begins(sky: &Sky, from: u64) -> Vec<(u16, u64)> {
    let all = sky.nodes.iter().flat_map(|node| &node.store.begins);
    let mut since: Vec<_> = all.filter(|(at, ..)| *at > from).collect();
    since.sort_by_key(|(at, replica, _)| (*at, *replica));
    since.into_iter().map(|(_, replica, count)| (replica.slot, *count)).collect()
}

/// What was counted before `act`, and how each slot began after it.
fn after(
    sky: &mut Sky,
    service: ServiceId,
    for_ms: u64,
    act: impl FnOnce(&mut Sky),
) -> (BTreeMap<u16, u64>, Vec<(u16, u64)>) {
    let (from, mut before) = (sky.now, BTreeMap::new());
    counted(sky, service, &mut before);
    act(sky);
    sky.run(for_ms, |_| {});
    settle(sky, service, 0);
    (before, begins(sky, from))
}

#[test]
fn c10_an_update_goes_on_with_all_that_was_written() {
    for seed in 0..24 {
        let replicas = 1 + (seed % 3) as u16;
        let (mut sky, service) = deployed(seed, &SLOTS, replicas);
        let next = with_volumes(Behaviour::Good, 2, replicas);
        let (before, began) = after(&mut sky, service, 12_000 * u64::from(replicas), |sky| {
            sky.declare("db", &KEEPERS, Some(next));
        });
        assert_eq!(sky.wanted(service), Some(2), "seed {seed}: {}", sky.story(service));
        assert_eq!(began.len(), usize::from(replicas), "seed {seed}: {began:?}");
        for (slot, count) in began {
            assert!(count >= before[&slot], "seed {seed}: slot {slot} went back to {count} from {before:?}");
        }
        stays(&mut sky, service, 5_000);
    }
}

#[test]
fn c10_a_replica_that_moves_takes_its_volumes_along() {
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, &SLOTS, 1);
        let host = sky.number(*sky.spread(service).keys().next().expect("it runs"));
        let (before, began) = after(&mut sky, service, 20_000, |sky| {
            sky.nodes[host].capacity.is_closed = true;
            sky.with(host, crate::node::Node::tell_capacity);
        });
        assert!(!sky.spread(service).contains_key(&sky.id(host)), "seed {seed}");
        assert!(
            began.iter().all(|(slot, count)| *count >= before[slot]),
            "seed {seed}: {began:?} {before:?}"
        );
        // Nothing of it is left where it was.
        assert!(sky.nodes[host].store.counts.is_empty(), "seed {seed}");
    }
}

#[test]
fn c10_f1_a_host_that_comes_back_in_time_goes_on_with_what_it_has() {
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, &SLOTS, 2);
        let victim = sky.number(*sky.spread(service).keys().next().expect("it runs"));
        let away_ms = sky.chance.between(5_000, WAIT_MS - 5_000);
        let (before, began) = after(&mut sky, service, WAIT_MS + 20_000, |sky| {
            sky.crash(victim);
            sky.run(away_ms, |_| {});
            sky.come_back(victim);
        });
        assert!(!began.is_empty() && began.iter().all(|(slot, count)| *count >= before[slot]), "seed {seed}");
        assert!(
            sky.spread(service).contains_key(&sky.id(victim)),
            "seed {seed}: it is where its volumes are"
        );
    }
}

#[test]
fn c10_f12_where_a_host_is_lost_the_newest_save_goes_on_elsewhere() {
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, &SLOTS, 1);
        let victim = sky.number(*sky.spread(service).keys().next().expect("it runs"));
        let (before, began) = after(&mut sky, service, WAIT_MS + 15_000, |sky| {
            sky.crash(victim);
            // The keeper that acts may be gone as well: others hold what was saved, too.
            if seed % 2 == 0 {
                sky.crash(0);
            }
        });
        let lost = before[&0].saturating_sub(began[0].1);
        assert!(lost <= (SAVE_MS + HELD_MS) / STEP_MS, "seed {seed}: {lost} of {before:?} are lost");
        // It comes back with what nobody waited for, and nothing changes for that.
        let going_on = began[0].1;
        sky.come_back(victim);
        stays(&mut sky, service, 15_000);
        let mut now = BTreeMap::new();
        counted(&sky, service, &mut now);
        assert!(now[&0] > going_on, "seed {seed}");
    }
}

#[test]
fn c10_f1_a_sky_that_loses_its_power_loses_nothing_of_volumes() {
    for seed in 0..16 {
        let (mut sky, service) = deployed(seed, &SLOTS, 3);
        let (before, began) = after(&mut sky, service, 60_000, |sky| {
            let all = sky.nodes.len() - 1;
            (0..all).for_each(|number| sky.crash(number));
            sky.run(10_000, |_| {});
            // Keepers first: they wait for the hosts, who have more than was saved.
            KEEPERS.iter().for_each(|number| sky.come_back(*number));
            for number in KEEPERS.len()..all {
                let pause_ms = sky.chance.between(1_000, WAIT_MS / 5);
                sky.run(pause_ms, |_| {});
                sky.come_back(number);
            }
        });
        assert!(
            began.iter().all(|(slot, count)| *count >= before[slot]),
            "seed {seed}: {began:?} {before:?}"
        );
    }
}

#[test]
fn c10_volumes_of_a_removed_service_come_back_with_it() {
    for seed in 0..12 {
        let (mut sky, service) = deployed(seed, &SLOTS, 2);
        let mut before = BTreeMap::new();
        counted(&sky, service, &mut before);
        sky.declare("db", &KEEPERS, None);
        settle(&mut sky, service, 20_000);
        assert!(sky.nodes.iter().all(|node| node.store.counts.is_empty()), "seed {seed}: something is left");
        let from = sky.now;
        sky.declare("db", &KEEPERS, Some(with_volumes(Behaviour::Good, 3, 2)));
        settle(&mut sky, service, 20_000);
        let began = begins(&sky, from);
        assert!(
            began.iter().all(|(slot, count)| *count >= before[slot]),
            "seed {seed}: {began:?} {before:?}"
        );
    }
}

#[test]
fn c10_f15_volumes_are_one_programs_at_a_time_whatever_is_lost_doubled_or_late() {
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, &SLOTS, 2);
        sky.weather = Weather { loss_per_mille: 100, repeat_per_mille: 100, delay_ms_max: 400, calm: true };
        let (mut most, mut known) = (BTreeMap::new(), 0);
        for number in 2..5 {
            let behaviour = sky.chance.pick(&[Behaviour::Good, Behaviour::Good, Behaviour::Mute]);
            sky.declare("db", &KEEPERS, Some(with_volumes(behaviour, number, 2)));
            sky.run(40_000, |sky| {
                let began = begins(sky, 0);
                for (slot, count) in &began[known..] {
                    let before = most.get(slot).copied().unwrap_or(0);
                    assert!(
                        *count >= before,
                        "seed {seed}: slot {slot} went back from {before} to {count}\n{}",
                        sky.story(service)
                    );
                }
                known = began.len();
                counted(sky, service, &mut most);
                let mut running = BTreeSet::new();
                for node in &sky.nodes {
                    for replica in node.engine.replicas() {
                        assert!(running.insert((replica.service, replica.slot)), "seed {seed}: two run");
                    }
                }
            });
        }
        sky.weather = CALM;
        sky.run(60_000, |_| {});
        settle(&mut sky, service, 0);
    }
}
