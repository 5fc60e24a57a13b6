//! Validators that change, and one that lost its journal.

use super::{
    chain::Shared,
    cluster::{Cluster, good_link, keys, set_of},
};
use crate::{EpochLength, LightClient, LostJournal};
use commonware_p2p::Manager as _;
use commonware_runtime::{Runner, deterministic};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

fn runner(seed: u64) -> deterministic::Runner {
    deterministic::Runner::new(
        deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(900))),
    )
}

/// Submits until everyone in `who` is in `epoch`.
async fn reach(cluster: &mut Cluster, epoch: u64, who: &[usize]) {
    let length = cluster.rules.epoch_length;
    for _ in 0..1_000 {
        let number = cluster.submit();
        cluster.wait_for(who, number, LIMIT).await;
        let height = cluster.shared.lock().heads[&cluster.node(who[0])].0;
        if length.epoch_of(height) >= epoch {
            return;
        }
    }
    panic!("epoch {epoch} is not reached: {}", cluster.heads());
}

#[test]
fn the_set_changes_at_epoch_borders_and_a_light_client_follows() {
    runner(3).start(|context| async move {
        let keys = keys(7);
        // Five epochs: the first four; one leaves; one joins; three others; a single one.
        let sets = vec![
            set_of(&keys[..4]),
            set_of(&keys[1..4]),
            set_of(&keys[1..5]),
            set_of(&keys[4..7]),
            set_of(&keys[4..5]),
        ];
        let shared = Shared::new(sets.clone());
        let mut cluster = Cluster::new(&context, keys, shared, 10, good_link()).await;
        cluster.start_all().await;
        for (epoch, members) in [(1, vec![1, 2, 3]), (2, vec![1, 2, 3, 4]), (3, vec![4, 5, 6]), (4, vec![4])]
        {
            reach(&mut cluster, epoch, &members).await;
        }
        let number = cluster.submit();
        cluster.wait_for(&[4], number, LIMIT).await;
        follows_from_genesis(&cluster, 4, &sets);
    });
}

/// Follows validator `index`'s blocks from the genesis on, jumping where it can.
fn follows_from_genesis(cluster: &Cluster, index: usize, sets: &[crate::ValidatorSet]) {
    let world = cluster.shared.lock();
    let length = EpochLength::new(10).expect("ten");
    let mut client = LightClient::new(&world.genesis, sets[0].clone(), length);
    let mut jumper = client.clone();
    let mut headers = Vec::new();
    for (block, certificate) in &world.disks[&cluster.keys[index].id()].blocks {
        headers.push(block.header().clone());
        let Some(certificate) = certificate else { continue };
        client.follow(&headers, certificate).expect("linked headers under a certificate");
        headers.clear();
        if block.header().height == jumper.border() {
            jumper.jump(block.header(), certificate).expect("the last block of an epoch");
        }
    }
    assert_eq!(client.epoch(), 4);
    assert_eq!(jumper.epoch(), 4, "four certificates lead through four epochs");
    assert_eq!(client.validators(), &sets[4]);
    assert_eq!(world.canon[&client.height()], client.block());
}

#[test]
fn f6_a_validator_without_its_journal_votes_again_only_in_the_next_epoch() {
    runner(4).start(|context| async move {
        let mut cluster = Cluster::of(&context, 4, 20).await;
        cluster.start_all().await;
        let number = cluster.submit();
        cluster.wait_for(&[0, 1, 2, 3], number, LIMIT).await;
        cluster.crash(0).await;
        cluster.forget_engine(0);
        cluster.start(0).await;
        // Without validator 3 the others need the vote of 0 for a quorum, and must not get it.
        cluster.crash(3).await;
        let number = cluster.submit();
        cluster.sleep(20_000).await;
        assert!(!cluster.has(1, number), "a validator without its journal voted");
        cluster.start(3).await;
        cluster.wait_for(&[0, 1, 2, 3], number, LIMIT).await;
        reach(&mut cluster, 1, &[0, 1, 2, 3]).await;
        // In the new epoch its vote counts again.
        cluster.crash(3).await;
        let number = cluster.submit();
        cluster.wait_for(&[0, 1, 2], number, LIMIT).await;
    });
}

#[test]
fn f6_a_lone_validator_without_its_journal_goes_on_only_when_told_to() {
    runner(5).start(|context| async move {
        let mut cluster = Cluster::of(&context, 1, 1_000).await;
        cluster.start(0).await;
        for _ in 0..5 {
            let number = cluster.submit();
            cluster.wait_for(&[0], number, LIMIT).await;
        }
        cluster.crash(0).await;
        cluster.forget_engine(0);
        // What the chain had not written went with the engine's files.
        cluster.shared.lose_unwritten();
        cluster.start(0).await;
        let number = cluster.submit();
        cluster.sleep(20_000).await;
        assert!(!cluster.has(0, number), "a validator without its journal voted");
        cluster.crash(0).await;
        cluster.lost_journal = LostJournal::VoteIfAlone;
        cluster.start(0).await;
        cluster.wait_for(&[0], number, LIMIT).await;
        // From then on it has a journal again, and needs no permission.
        cluster.crash(0).await;
        cluster.lost_journal = LostJournal::Follow;
        cluster.start(0).await;
        let number = cluster.submit();
        cluster.wait_for(&[0], number, LIMIT).await;
    });
}

/// Submits until the newest block of a lone validator is the last of epoch 0, and ends it there.
async fn stop_at_border(cluster: &mut Cluster) {
    let border = cluster.rules.epoch_length.last(0);
    let height = |cluster: &Cluster| cluster.shared.lock().heads[&cluster.node(0)].0;
    while height(cluster) < border {
        let number = cluster.submit();
        cluster.wait_for(&[0], number, LIMIT).await;
    }
    assert_eq!(height(cluster), border);
    cluster.crash(0).await;
}

#[test]
fn f1_a_validator_starts_at_a_border_though_its_chain_forgot_the_epoch_before() {
    runner(6).start(|context| async move {
        let mut cluster = Cluster::of(&context, 1, 10).await;
        cluster.start(0).await;
        stop_at_border(&mut cluster).await;
        cluster.shared.lock().forget_past_sets = true;
        cluster.start(0).await;
        let number = cluster.submit();
        cluster.wait_for(&[0], number, LIMIT).await;
    });
}

#[test]
fn f2_the_last_block_of_an_epoch_reaches_the_chain_only_with_its_certificate() {
    for count in [1, 4] {
        println!("{count} validators");
        runner(7).start(|context| async move {
            let mut cluster = Cluster::of(&context, count, 10).await;
            cluster.start_all().await;
            // It ends while the block is on its way to the chain.
            let border = cluster.rules.epoch_length.last(0);
            cluster.shared.lock().disk_fails = Some((cluster.node(0), border));
            while cluster.shared.lock().heads[&cluster.node(0)].0 + 1 < border {
                let number = cluster.submit();
                cluster.wait_for(&[0], number, LIMIT).await;
            }
            cluster.submit();
            cluster.sleep(1_000).await;
            cluster.crash(0).await;
            cluster.shared.lock().disk_fails = None;
            cluster.lose_certificates(0).await;
            cluster.start(0).await;
            // The chain of the tests refuses an epoch's last block without its certificate.
            reach(&mut cluster, 2, &(0..usize::from(count)).collect::<Vec<_>>()).await;
        });
    }
}

#[test]
fn f6_a_validator_with_a_disk_of_an_earlier_day_follows() {
    runner(10).start(|context| async move {
        let mut cluster = Cluster::of(&context, 4, 20).await;
        cluster.start_all().await;
        let number = cluster.submit();
        cluster.wait_for(&[0, 1, 2, 3], number, LIMIT).await;
        cluster.crash(0).await;
        let me = cluster.node(0);
        cluster.shared.lock().disks.get_mut(&me).expect("it ran").mark = Some(1);
        // Its own votes are in the journal, which the engine can't read without a key to vote with.
        cluster.start(0).await;
        let number = cluster.submit();
        cluster.wait_for(&[0, 1, 2, 3], number, LIMIT).await;
        cluster.crash(3).await;
        let number = cluster.submit();
        cluster.sleep(20_000).await;
        assert!(!cluster.has(1, number), "a validator voted below its mark");
    });
}

#[test]
fn f8_a_joining_validator_asks_those_who_left_for_the_end_of_their_epoch() {
    runner(8).start(|context| async move {
        let keys = keys(5);
        let shared = Shared::new(vec![set_of(&keys[..4]), set_of(&keys[4..])]);
        let mut cluster = Cluster::new(&context, keys, shared, 10, good_link()).await;
        cluster.start_all().await;
        let number = cluster.submit();
        cluster.wait_for(&[0, 1, 2, 3, 4], number, LIMIT).await;
        cluster.partition(|from, to| from != 4 && to != 4, &good_link()).await;
        let border = cluster.rules.epoch_length.last(0);
        let is_over = |cluster: &Cluster| {
            let world = cluster.shared.lock();
            (0..4).all(|index| world.heads[&cluster.keys[index].id()].0 == border)
        };
        while !is_over(&cluster) {
            cluster.submit();
            cluster.sleep(100).await;
        }
        // The four vote no more and say nothing; the fifth does not know that it is its turn. On a real
        // network it would still have the peers of its own epoch; here all have one list of peers.
        cluster.sleep(5_000).await;
        let all = set_of(&cluster.keys).engine_keys();
        let _ = cluster.net.manager().track(2, all);
        cluster.link_all(&good_link()).await;
        let number = cluster.submit();
        cluster.wait_for(&[4], number, LIMIT).await;
    });
}

#[test]
fn f8_a_validator_that_nobody_can_help_gives_up_and_comes_back_with_the_ledger_of_another() {
    runner(9).start(|context| async move {
        let mut cluster = Cluster::of(&context, 4, 10).await;
        cluster.start_all().await;
        let number = cluster.submit();
        cluster.wait_for(&[0, 1, 2, 3], number, LIMIT).await;
        cluster.partition(|from, to| from != 3 && to != 3, &good_link()).await;
        reach(&mut cluster, 2, &[0, 1, 2]).await;
        // It hears the others, and no answer comes to what it asks for.
        cluster.partition(|from, _| from != 3, &good_link()).await;
        let me = cluster.node(3);
        cluster.sleep(50_000).await;
        assert_eq!(cluster.shared.lock().behind.get(&me), None, "it gave up too early");
        cluster.sleep(30_000).await;
        let epoch = cluster.shared.lock().behind.get(&me).copied();
        assert!(epoch.is_some_and(|epoch| epoch >= 2), "it heard of epoch {epoch:?}");
        // Its chain follows the others by other means.
        cluster.crash(3).await;
        cluster.copy_chain(0, 3);
        cluster.link_all(&good_link()).await;
        cluster.start(3).await;
        let number = cluster.submit();
        cluster.wait_for(&[0, 1, 2, 3], number, LIMIT).await;
        cluster.crash(0).await;
        let number = cluster.submit();
        cluster.wait_for(&[1, 2, 3], number, LIMIT).await;
    });
}
