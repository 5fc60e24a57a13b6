//! Crashes, partitions, loss, silence and lies: no fork, nothing lost, progress after.

use super::{
    chain::Shared,
    cluster::{Cluster, Context, good_link, keys, link_of, set_of},
    liar::lie,
};
use crate::OffenceKind;
use commonware_runtime::{Clock, Runner, Supervisor, deterministic};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::{Duration, SystemTime};

/// Seeds of each scenario in a normal run; `OPENSKY_SEEDS` asks for more.
fn seeds() -> u64 {
    std::env::var("OPENSKY_SEEDS").ok().map_or(2, |count| count.parse().expect("OPENSKY_SEEDS is a number"))
}

/// Each seed and how many validators its cluster has: four and seven by turns.
fn cases() -> impl Iterator<Item = (u64, u8)> {
    (0..seeds()).map(|seed| (seed, if seed.is_multiple_of(2) { 4 } else { 7 }))
}

const LIMIT: Duration = Duration::from_secs(60);

fn runner(seed: u64) -> deterministic::Runner {
    let config = deterministic::Config::new()
        .with_seed(seed)
        // Real clocks are far from 1970, and time must be able to go back a little.
        .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
        .with_timeout(Some(Duration::from_secs(900)));
    deterministic::Runner::new(config)
}

/// Runs `scenario` and returns the audit of everything that happened.
fn simulate<F: Future<Output = ()>>(seed: u64, scenario: impl FnOnce(Context, StdRng) -> F) -> String {
    // Shown when the scenario fails.
    println!("seed {seed}");
    runner(seed).start(|context| async move {
        scenario(context.child("scenario"), StdRng::seed_from_u64(seed ^ 0x5eed)).await;
        context.auditor().state()
    })
}

/// The end of every scenario: all of `who` agree on everything and go on.
async fn heals(cluster: &mut Cluster, who: &[usize]) {
    let last = cluster.submit();
    cluster.wait_for(who, last, LIMIT).await;
    cluster.check_nothing_lost(who);
}

#[test]
fn one_validator_finalizes_alone() {
    simulate(1, |context, _| async move {
        let mut cluster = Cluster::of(&context, 1, 1_000).await;
        cluster.start_all().await;
        for _ in 0..20 {
            let number = cluster.submit();
            cluster.wait_for(&[0], number, Duration::from_secs(1)).await;
        }
        cluster.crash(0).await;
        cluster.start(0).await;
        heals(&mut cluster, &[0]).await;
    });
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = |seed| {
        simulate(seed, |context, rng| async move {
            let mut cluster = Cluster::of(&context, 4, 1_000).await;
            cluster.start_all().await;
            crashes(&mut cluster, rng).await;
        })
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn an_idle_sky_makes_only_heartbeats_and_a_transaction_is_final_at_once() {
    simulate(2, |context, _| async move {
        let mut cluster = Cluster::of(&context, 4, 1_000).await;
        cluster.start_all().await;
        heals(&mut cluster, &[0, 1, 2, 3]).await;
        let height = |cluster: &Cluster| cluster.shared.lock().canon.len();
        let before = height(&cluster);
        cluster.sleep(60_000).await;
        let beats = height(&cluster) - before;
        assert!((11..=13).contains(&beats), "{beats} blocks in a minute of nothing");
        for pause in [13, 170, 333, 700, 1_130] {
            cluster.sleep(pause).await;
            let number = cluster.submit();
            // Three hops of 10 ms, and a turn of leaders at the worst time.
            cluster.wait_for(&[0, 1, 2, 3], number, Duration::from_millis(250)).await;
        }
    });
}

#[test]
fn a_validator_that_is_silent_from_the_start_costs_little() {
    for (seed, count) in cases() {
        simulate(seed, |context, mut rng| async move {
            let mut cluster = Cluster::of(&context, count, 1_000).await;
            let silent = rng.random_range(0..usize::from(count));
            let honest: Vec<usize> = (0..usize::from(count)).filter(|index| *index != silent).collect();
            for index in &honest {
                cluster.start(*index).await;
            }
            let mut slowest = Duration::ZERO;
            for _ in 0..40 {
                let started = context.current();
                let number = cluster.submit();
                cluster.wait_for(&honest, number, Duration::from_secs(10)).await;
                slowest = slowest.max(context.current().duration_since(started).expect("time goes on"));
                cluster.sleep(rng.random_range(0..400)).await;
            }
            assert!(slowest <= Duration::from_secs(3), "slowest of 40: {slowest:?}");
            heals(&mut cluster, &honest).await;
        });
    }
}

/// Random crashes and restarts, never more than a third at a time.
async fn crashes(cluster: &mut Cluster, mut rng: StdRng) {
    let count = cluster.keys.len();
    let tolerated = (count - 1) / 3;
    let mut down: Vec<usize> = Vec::new();
    for _ in 0..12 {
        cluster.submit();
        cluster.sleep(rng.random_range(0..1_500)).await;
        if down.len() < tolerated && rng.random_bool(0.6) {
            let running = cluster.running();
            let index = running[rng.random_range(0..running.len())];
            cluster.crash(index).await;
            down.push(index);
        } else if !down.is_empty() && rng.random_bool(0.6) {
            let index = down.swap_remove(rng.random_range(0..down.len()));
            cluster.start(index).await;
        }
    }
    for index in down {
        cluster.start(index).await;
    }
    let all: Vec<usize> = (0..count).collect();
    heals(cluster, &all).await;
}

#[test]
fn f1_crashes_and_restarts_lose_nothing() {
    for (seed, count) in cases() {
        simulate(seed, |context, rng| async move {
            let mut cluster = Cluster::of(&context, count, 1_000).await;
            cluster.start_all().await;
            crashes(&mut cluster, rng).await;
        });
    }
}

#[test]
fn f8_partitions_halt_or_go_on_and_heal() {
    for (seed, count) in cases() {
        simulate(seed, |context, mut rng| async move {
            let mut cluster = Cluster::of(&context, count, 1_000).await;
            cluster.start_all().await;
            for _ in 0..3 {
                let sides: Vec<usize> = (0..count).map(|_| rng.random_range(0..2)).collect();
                // One way, the first side still reaches the second.
                let one_way = rng.random_bool(0.4);
                let reaches =
                    |from: usize, to: usize| sides[from] == sides[to] || (one_way && sides[from] < sides[to]);
                cluster.submit();
                cluster.partition(reaches, &good_link()).await;
                cluster.submit();
                cluster.sleep(rng.random_range(500..8_000)).await;
                cluster.link_all(&good_link()).await;
                let number = cluster.submit();
                let all: Vec<usize> = (0..usize::from(count)).collect();
                cluster.wait_for(&all, number, Duration::from_secs(10)).await;
            }
            let all: Vec<usize> = (0..usize::from(count)).collect();
            heals(&mut cluster, &all).await;
        });
    }
}

#[test]
fn f8_a_block_that_only_two_have_left_reaches_the_one_that_was_cut_off() {
    // Times of the cut within two rounds of leaders.
    for pause in [0, 300, 800, 1_100, 1_600, 1_900, 2_400, 2_700] {
        println!("cut after {pause} ms");
        simulate(11, |context, _| async move {
            let mut cluster = Cluster::of(&context, 4, 1_000).await;
            cluster.start_all().await;
            heals(&mut cluster, &[0, 1, 2, 3]).await;
            cluster.sleep(pause).await;
            cluster.partition(|from, to| from != 2 && to != 2, &good_link()).await;
            let number = cluster.submit();
            // The vote for the block is sent, and the votes of the others are on their way.
            cluster.sleep(16).await;
            cluster.crash(3).await;
            assert!(!cluster.has(0, number) && !cluster.has(1, number), "nobody has a quorum for the end");
            cluster.sleep(3_000).await;
            cluster.link_all(&good_link()).await;
            heals(&mut cluster, &[0, 1, 2]).await;
        });
    }
}

#[test]
fn f9_loss_and_delay_slow_down_and_break_nothing() {
    for (seed, count) in cases() {
        simulate(seed, |context, mut rng| async move {
            let mut cluster = Cluster::of(&context, count, 1_000).await;
            cluster.link_all(&link_of(rng.random_range(20..200), 40, 0.95)).await;
            cluster.start_all().await;
            for _ in 0..20 {
                cluster.submit();
                cluster.sleep(rng.random_range(0..500)).await;
            }
            let all: Vec<usize> = (0..usize::from(count)).collect();
            heals(&mut cluster, &all).await;
        });
    }
}

#[test]
fn l1_a_validator_that_votes_twice_is_proven_guilty_and_forks_nothing() {
    for (seed, count) in cases() {
        simulate(seed, |context, mut rng| async move {
            let mut cluster = Cluster::of(&context, count, 1_000).await;
            let liar = rng.random_range(0..usize::from(count));
            let honest: Vec<usize> = (0..usize::from(count)).filter(|index| *index != liar).collect();
            lie(&context, &cluster, liar).await;
            for index in &honest {
                cluster.start(*index).await;
            }
            for _ in 0..20 {
                cluster.submit();
                cluster.sleep(rng.random_range(0..500)).await;
            }
            heals(&mut cluster, &honest).await;
            let offences = cluster.shared.lock().offences.clone();
            assert!(offences.iter().all(|offence| offence.validator == cluster.node(liar)), "{offences:?}");
            let kinds: Vec<OffenceKind> = offences.iter().map(|offence| offence.kind).collect();
            assert!(kinds.contains(&OffenceKind::TwoNotarizes) || kinds.contains(&OffenceKind::TwoFinalizes));
        });
    }
}

#[test]
fn f2_f17_all_lose_power_at_once_and_nothing_acknowledged_is_lost() {
    for seed in 0..seeds() {
        println!("seed {seed}");
        let keys = keys(4);
        let shared = Shared::new(vec![set_of(&keys)]);
        let (first, second) = (shared.clone(), shared.clone());
        let (first_keys, second_keys) = (keys.clone(), keys);
        let ((), checkpoint) = runner(seed).start_and_recover(|context| async move {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut cluster = Cluster::new(&context, first_keys, first, 1_000, good_link()).await;
            cluster.start_all().await;
            for _ in 0..15 {
                cluster.submit();
                cluster.sleep(rng.random_range(0..300)).await;
            }
        });
        // What was not synced to the simulated disks is gone, and so is all memory.
        let acknowledged = shared.lock().acknowledged.len();
        assert!(acknowledged > 0);
        deterministic::Runner::from(checkpoint).start(|context| async move {
            let mut cluster = Cluster::new(&context, second_keys, second, 1_000, good_link()).await;
            cluster.start_all().await;
            heals(&mut cluster, &[0, 1, 2, 3]).await;
        });
        assert!(shared.lock().acknowledged.len() >= acknowledged);
    }
}
