//! One round: a fault begins and ends under the workload, the sky recovers, and what was seen is checked.

use crate::{
    faults::{Fault, Kind},
    history::{Auditor, Event},
    report::Report,
    stats::Spread,
    workload::Workload,
    world::World,
};
use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long the clients work before a fault begins, in milliseconds: at least and at most.
const LEAD_MS: (u64, u64) = (300, 1_000);
/// How long the sky may take to make a block on every node before it counts as dead.
const RECOVER_MAX: Duration = Duration::from_secs(60);
/// Blocks that are made before the end of a fault, though no client had heard of them yet.
const UNHEARD: u64 = 1;

/// Where and when a round took place.
struct Times {
    begun_us: u64,
    healed_us: u64,
    recovered_us: u64,
}

/// Plays a fault. An error means that the sky or the rig is broken, and nothing can follow.
pub fn play(
    world: &mut World,
    workload: &Workload,
    auditor: &mut Auditor,
    kind: &Kind,
    make: fn(&mut StdRng, usize) -> Box<dyn Fault>,
    seed: u64,
) -> Result<Report> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut fault = make(&mut chance, world.nodes.len());
    let lasts = Duration::from_millis(chance.random_range(kind.lasts_ms.0..=kind.lasts_ms.1));
    let lead = Duration::from_millis(chance.random_range(LEAD_MS.0..=LEAD_MS.1));
    let recorder = world.recorder.clone();
    workload.go();
    thread::sleep(lead);
    let begun_us = recorder.now_us();
    fault.begin(world)?;
    thread::sleep(lasts / 2);
    fault.turn(world)?;
    thread::sleep(lasts / 2);
    let (healed, healed_us, height) = (Instant::now(), recorder.now_us(), recorder.highest());
    fault.end(world)?;
    let mut report = Report::new(kind, seed);
    let recovered = world.reach(height.max(auditor.height()) + UNHEARD + 1, RECOVER_MAX);
    let heal_s = healed.elapsed().as_secs_f64();
    let times = Times { begun_us, healed_us, recovered_us: recorder.now_us() };
    thread::sleep(lead / 2);
    workload.rest();
    match recovered {
        Ok(()) => report.heal_s = Some(heal_s),
        Err(error) => {
            report.violations.push(format!("no recovery: {error:#}"));
            restart_all(world)?;
        }
    }
    report.violations.extend(ended(world)?);
    report.about = fault.about();
    settle(world, auditor, &mut report, fault.as_ref(), &times)?;
    report.decide(kind);
    Ok(report)
}

/// What an owner would do with nodes that are stuck. The next rounds go on if that helps.
fn restart_all(world: &mut World) -> Result<()> {
    let all: Vec<usize> = (0..world.nodes.len()).collect();
    all.iter().try_for_each(|number| world.nodes[*number].kill())?;
    world.restart(&all)?;
    let height = world.recorder.highest();
    world.reach(height + 1, RECOVER_MAX).context("nor after a restart of all nodes")
}

/// Waits until all have what anyone said to be final, and checks the round.
fn settle(
    world: &World,
    auditor: &mut Auditor,
    report: &mut Report,
    fault: &dyn Fault,
    times: &Times,
) -> Result<()> {
    world.reach(world.recorder.highest(), RECOVER_MAX)?;
    let from = auditor.height() + 1;
    let endings =
        (0..world.nodes.len()).map(|number| world.ending(number, from)).collect::<Result<Vec<_>>>()?;
    let events = world.recorder.take();
    measure(&events, report, times);
    let found = auditor.judge(&events, &endings);
    report.violations.extend(found.iter().map(ToString::to_string));
    report.violations.extend(fault.broken(&events));
    Ok(())
}

/// Nodes that ended by themselves are started again, and named.
fn ended(world: &mut World) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for number in 0..world.nodes.len() {
        let node = &mut world.nodes[number];
        if node.has_ended()? {
            found.push(format!("{} ended by itself: {}", node.name, node.last_words()));
            world.restart(&[number])?;
        }
    }
    Ok(found)
}

/// Figures of a round from what clients saw.
fn measure(events: &[Event], report: &mut Report, times: &Times) {
    report.fault_ms = (times.healed_us - times.begun_us) / 1_000;
    let mut acknowledged = Vec::new();
    let mut during = Vec::new();
    for event in events {
        match event {
            Event::Acknowledged { at_us, asked_us, .. } => {
                acknowledged.push(*at_us);
                if (times.begun_us..times.healed_us).contains(asked_us) {
                    during.push((at_us - asked_us) as f64 / 1e6);
                }
            }
            Event::Asked { .. } => report.asked += 1,
            _ => {}
        }
    }
    report.acknowledged = acknowledged.len();
    report.unavailable_ms = longest_gap(acknowledged, times.begun_us, times.recovered_us) / 1_000;
    report.write_s = Spread::of(during.clone());
    report.writes_s = during;
}

/// The longest time within two moments in which nothing was acknowledged.
fn longest_gap(mut moments: Vec<u64>, from: u64, to: u64) -> u64 {
    moments.retain(|at| (from..to).contains(at));
    moments.extend([from, to]);
    moments.sort_unstable();
    moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_reaches_from_the_beginning_and_to_the_end() {
        assert_eq!(longest_gap(Vec::new(), 10, 30), 20);
        assert_eq!(longest_gap(vec![12, 25, 5, 40], 10, 30), 13);
        assert_eq!(longest_gap(vec![12, 14], 10, 30), 16);
    }
}
