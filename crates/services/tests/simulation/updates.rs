//! New revisions, good and bad, over a quiet network.

use crate::{
    programs::Behaviour,
    settle,
    sky::{CALM, Sky, Weather},
    spec, stays,
};
use opensky_types::{
    ServiceId,
    service::{ServiceSpec, Update},
};

const KEEPERS: [usize; 3] = [0, 1, 2];
/// Only these nodes run replicas, so that keepers may die without that.
const SLOTS: [u16; 9] = [0, 0, 0, 4, 4, 4, 4, 4, 4];
const BAD: [Behaviour; 4] =
    [Behaviour::Mute, Behaviour::Crashing, Behaviour::Unstartable, Behaviour::Missing];

fn deployed(seed: u64, spec: ServiceSpec) -> (Sky, ServiceId) {
    let mut sky = Sky::new(seed, &SLOTS);
    let service = sky.declare("web", &KEEPERS, Some(spec));
    settle(&mut sky, service, 10_000);
    // Its keeper sees a little later that the revision is good.
    sky.run(4_000, |_| {});
    (sky, service)
}

/// What users rely on while revision `revision` comes in: nobody waits, and little is in motion at a time.
fn serves(sky: &Sky, service: ServiceId, (revision, slots): (u64, u16), parallel: u16) {
    let all = (0..slots).collect();
    let story = || format!("at {}\n{}", sky.now, sky.story(service));
    assert!(sky.answering_slots(service).is_superset(&all), "{}", story());
    assert!(sky.reachable_slots(service).is_superset(&all), "{}", story());
    assert!(sky.in_transition(service, revision) <= usize::from(parallel), "{}", story());
}

#[test]
fn c10_an_update_replaces_few_at_a_time_and_every_slot_answers() {
    for seed in 0..24 {
        let replicas = 1 + (seed % 6) as u16;
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, replicas));
        let parallel = sky.chance.between(1, 3) as u16;
        let mut next = spec(Behaviour::Good, 2, replicas);
        next.update = Update { parallel, ..next.update };
        sky.declare("web", &KEEPERS, Some(next));
        sky.run(7_000 * u64::from(replicas), |sky| serves(sky, service, (2, replicas), parallel));
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(2), "seed {seed}");
    }
}

#[test]
fn c10_f15_every_slot_answers_though_words_are_lost_doubled_and_late() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 4));
        sky.weather = Weather { loss_per_mille: 100, repeat_per_mille: 100, delay_ms_max: 400, calm: true };
        let (behaviour, wanted) =
            sky.chance.pick(&[(Behaviour::Good, 2), (Behaviour::Mute, 1), (Behaviour::Missing, 1)]);
        sky.declare("web", &KEEPERS, Some(spec(behaviour, 2, 4)));
        let all = (0..4).collect();
        let answers = |sky: &Sky| {
            assert!(sky.answering_slots(service).is_superset(&all), "seed {seed}: {}", sky.story(service));
        };
        sky.run(60_000, answers);
        sky.weather = CALM;
        sky.run(20_000, answers);
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(wanted), "seed {seed}");
    }
}

#[test]
fn c10_a_revision_that_does_not_get_healthy_is_given_up_and_the_earlier_one_serves_all_the_time() {
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 3));
        let bad = sky.chance.pick(&BAD);
        sky.declare("web", &KEEPERS, Some(spec(bad, 2, 3)));
        sky.run(25_000, |sky| serves(sky, service, (2, 3), 1));
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(1), "seed {seed}: {bad:?}\n{}", sky.story(service));
        assert_eq!(sky.nodes[0].keeper.stand(service), Some((2, true, 2)));
        // The next one is tried again, and falls back to the last that was good.
        sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, 3, 3)));
        sky.run(20_000, |sky| serves(sky, service, (3, 3), 1));
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(3), "seed {seed}");
    }
}

#[test]
fn c10_without_rollback_nothing_more_is_replaced() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 4));
        let bad = sky.chance.pick(&BAD);
        let mut next = spec(bad, 2, 4);
        next.update.rollback = false;
        sky.declare("web", &KEEPERS, Some(next));
        sky.run(25_000, |sky| serves(sky, service, (2, 4), 1));
        assert_eq!(sky.wanted(service), Some(2));
        let before = sky.replicas(service);
        assert_eq!(before.len(), 4, "seed {seed}: {bad:?}: {before:?}");
        assert!(before.iter().all(|(report, _)| report.revision == 1 && report.state.answers()));
        sky.run(30_000, |sky| assert_eq!(sky.replicas(service).len(), 4, "{}", sky.story(service)));
    }
}

#[test]
fn c10_what_was_replaced_already_goes_back_when_a_revision_is_given_up() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 3));
        sky.declare("web", &KEEPERS, Some(spec(Behaviour::Picky, 2, 3)));
        sky.run(40_000, |sky| serves(sky, service, (2, 3), 1));
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(1), "seed {seed}");
    }
}

#[test]
fn c10_a_program_that_ends_right_after_its_start_counts_as_bad_without_a_health_check_too() {
    for seed in 0..24 {
        let unchecked = |behaviour, number| ServiceSpec { health: None, ..spec(behaviour, number, 3) };
        let (mut sky, service) = deployed(seed, unchecked(Behaviour::Good, 1));
        sky.declare("web", &KEEPERS, Some(unchecked(Behaviour::Crashing, 2)));
        sky.run(25_000, |sky| serves(sky, service, (2, 3), 1));
        assert_eq!(sky.wanted(service), Some(1), "seed {seed}\n{}", sky.story(service));
        settle(&mut sky, service, 0);
    }
}

#[test]
fn c10_a_service_grows_shrinks_and_ends() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 2));
        for (revision, replicas) in [(2, 5), (3, 1), (4, 6), (5, 3)] {
            sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, revision, replicas)));
            let least = replicas.min(sky.answering_slots(service).len() as u16);
            sky.run(25_000, |sky| serves(sky, service, (revision, least), 1));
            settle(&mut sky, service, 0);
        }
        sky.declare("web", &KEEPERS, None);
        settle(&mut sky, service, 5_000);
        stays(&mut sky, service, 15_000);
    }
}

#[test]
fn c10_f1_an_update_goes_on_when_its_keeper_dies() {
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 4));
        let (behaviour, wanted) = sky.chance.pick(&[(Behaviour::Good, 2), (Behaviour::Mute, 1)]);
        sky.declare("web", &KEEPERS, Some(spec(behaviour, 2, 4)));
        let until_ms = sky.chance.between(1, 12_000);
        sky.run(until_ms, |sky| serves(sky, service, (2, 4), 1));
        sky.crash(0);
        // The next keeper may have to learn what is in motion: never more than one of each.
        sky.run(40_000, |sky| serves(sky, service, (2, 4), 2));
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(wanted), "seed {seed}");
        // The first one is back, and does not try again what was given up.
        sky.come_back(0);
        sky.run(30_000, |sky| {
            serves(sky, service, (2, 4), 0);
        });
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(wanted), "seed {seed}");
    }
}

#[test]
fn c10_other_keepers_take_a_service_over() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 3));
        let old = &KEEPERS;
        sky.declare("web", &[3, 4], Some(spec(Behaviour::Good, 2, 3)));
        match seed % 3 {
            0 => old.iter().for_each(|number| sky.crash(*number)),
            1 => old.iter().for_each(|number| sky.tell(*number, service)),
            // They were away when the owner changed it, and come back as if nothing had happened.
            _ => {
                old.iter().for_each(|number| sky.crash(*number));
                sky.run(30_000, |sky| serves(sky, service, (2, 3), 1));
                old.iter().for_each(|number| sky.come_back(*number));
            }
        }
        sky.run(40_000, |sky| serves(sky, service, (2, 3), 1));
        settle(&mut sky, service, 0);
        stays(&mut sky, service, 15_000);
        assert_eq!(sky.acting(service), Some(3));
        let keeps = |number: &usize| sky.nodes[*number].keeper.stand(service).is_some();
        if seed % 3 == 1 {
            assert_eq!((0..5).filter(keeps).collect::<Vec<_>>(), [3, 4], "who is not named forgets it");
        }
    }
}

#[test]
fn c10_replicas_move_away_from_a_node_that_closes() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 3));
        let there: Vec<_> = sky.spread(service).into_keys().collect();
        let picked = sky.chance.pick(&there);
        let number = sky.number(picked);
        let node = sky.id(number);
        sky.nodes[number].capacity.is_closed = true;
        sky.with(number, |node, now, ports| node.tell_capacity(now, ports));
        sky.run(10_000, |sky| serves(sky, service, (1, 3), 1));
        assert!(!sky.spread(service).contains_key(&node), "seed {seed}");
        settle(&mut sky, service, 0);
    }
}

#[test]
fn c10_replicas_of_a_node_that_must_end_run_elsewhere_within_five_seconds() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 3));
        let there: Vec<_> = sky.spread(service).into_keys().collect();
        let picked = sky.chance.pick(&there);
        let number = sky.number(picked);
        let node = sky.id(number);
        let capacity = &mut sky.nodes[number].capacity;
        (capacity.is_closed, capacity.must_end) = (true, true);
        sky.with(number, |node, now, ports| node.tell_capacity(now, ports));
        sky.step();
        settle(&mut sky, service, 5_000);
        assert!(!sky.spread(service).contains_key(&node), "seed {seed}");
    }
}

#[test]
fn c10_a_revision_that_was_good_is_not_given_up_later() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 3));
        sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, 2, 3)));
        sky.run(20_000, |_| {});
        settle(&mut sky, service, 0);
        // A host dies, and the acting keeper soon after; the first node that is tried cannot start the program.
        let there: Vec<_> = sky.spread(service).into_keys().collect();
        let picked = sky.chance.pick(&there);
        let victim = sky.number(picked);
        sky.crash(victim);
        sky.run(2_000, |_| {});
        sky.crash(0);
        for node in &mut sky.nodes {
            node.engine.is_broken = !there.contains(&node.id);
        }
        sky.run(15_000, |_| {});
        sky.nodes.iter_mut().for_each(|node| node.engine.is_broken = false);
        sky.run(70_000, |_| {});
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(2), "seed {seed}\n{}", sky.story(service));
    }
}

#[test]
fn c10_a_blackout_is_no_fault_of_the_revision_that_ran() {
    for seed in 0..10 {
        let (mut sky, service) = deployed(seed, spec(Behaviour::Good, 1, 3));
        sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, 2, 3)));
        sky.run(25_000, |_| {});
        settle(&mut sky, service, 0);
        (0..SLOTS.len()).for_each(|number| sky.crash(number));
        sky.run(5_000, |_| {});
        // All come back, and what programs need is there a little later.
        (0..SLOTS.len()).for_each(|number| sky.come_back(number));
        sky.nodes.iter_mut().for_each(|node| node.engine.is_broken = true);
        sky.run(25_000, |_| {});
        sky.nodes.iter_mut().for_each(|node| node.engine.is_broken = false);
        sky.run(70_000, |_| {});
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(2), "seed {seed}\n{}", sky.story(service));
    }
}

/// Nodes that are full have no room for old and new at once: one slot at a time does without.
#[test]
fn c10_where_there_is_no_room_for_both_the_new_revision_takes_the_place_of_the_old_one() {
    for seed in 0..20 {
        let replicas = 1 + (seed % 3) as u16;
        let mut sky = Sky::new(seed, &[0, 0, 0, replicas]);
        let service = sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, 1, replicas)));
        settle(&mut sky, service, 10_000);
        sky.run(6_000, |_| {});
        let most_serve = |sky: &Sky| {
            let answering = sky.answering_slots(service).len();
            assert!(answering + 1 >= usize::from(replicas), "{}", sky.story(service));
        };
        sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, 2, replicas)));
        sky.run(15_000 * u64::from(replicas), most_serve);
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(2), "seed {seed}");
        // One that does not get healthy: the earlier one is back.
        sky.declare("web", &KEEPERS, Some(spec(Behaviour::Mute, 3, replicas)));
        sky.run(60_000, most_serve);
        settle(&mut sky, service, 0);
        assert_eq!(sky.wanted(service), Some(2), "seed {seed}\n{}", sky.story(service));
        // One that asks for more than there is anywhere: nothing ends for it.
        let mut larger = spec(Behaviour::Good, 4, replicas);
        larger.limits.cpu_cores = replicas + 1;
        sky.declare("web", &KEEPERS, Some(larger));
        let all = (0..replicas).collect();
        sky.run(30_000, |sky| assert_eq!(sky.answering_slots(service), all));
    }
}
