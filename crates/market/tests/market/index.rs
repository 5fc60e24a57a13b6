//! What gets into the index, and what it forgets.

use crate::common::{NOW, demand, found, insert, key, market, node, offer};
use opensky_market::{Config, Inserted, Market, OfferRejected};
use opensky_types::{
    Signed, Timestamp,
    job::Isolation,
    offer::{OFFER_LIFE_MS_MAX, Offer},
    place::{Level, NodeKind, Region},
    resources::Gpu,
};

#[test]
fn p2_only_a_newer_sequence_replaces_an_offer() {
    let mut market = market();
    assert_eq!(insert(&mut market, NOW, 1, Offer { sequence: 5, ..offer(1) }), Ok(Inserted::New));
    for sequence in [4, 5] {
        let stale = insert(&mut market, NOW, 1, Offer { sequence, ..offer(1) }).expect_err("not newer");
        assert_eq!(stale, OfferRejected::Stale { sequence, known: 5 });
        assert!(!stale.is_senders_fault());
    }
    assert_eq!(insert(&mut market, NOW, 1, Offer { sequence: 6, ..offer(1) }), Ok(Inserted::Newer));
    assert_eq!(market.get(node(1)).map(|offer| offer.sequence), Some(6));
}

#[test]
fn p2_impossible_offers_are_their_senders_fault() {
    let gpu = Gpu { model: String::new(), vendor: "x".repeat(129), memory_bytes: None };
    type Spoil = fn(&mut Offer, Gpu);
    let table: [(&str, Spoil); 14] = [
        ("expiry", |o, _| o.expires_at = o.made_at),
        ("number of slots", |o, _| o.slots_total = 5_000),
        ("number of free slots", |o, _| o.slots_free = 5),
        ("list of levels", |o, _| o.levels = vec![Level::Vm; 2]),
        ("list of kinds", |o, _| o.kinds = vec![NodeKind::Ai; 3]),
        ("number of GPUs", |o, gpu| o.hardware.gpus = vec![gpu; 33]),
        ("text", |o, gpu| o.hardware.gpus = vec![gpu]),
        ("text", |o, _| o.hardware.cpu_model = "x".repeat(129)),
        ("list of isolations", |o, _| o.containers.isolations = vec![Isolation::Gvisor; 2]),
        ("number of registries", |o, _| o.containers.registries = vec!["docker.io".into(); 17]),
        ("list of GPUs", |o, _| o.containers.gpus = vec![0]),
        ("list of GPUs", |o, gpu| {
            o.hardware.gpus = vec![Gpu { vendor: String::new(), ..gpu }; 2];
            o.containers.gpus = vec![1, 0];
        }),
        ("text", |o, _| o.containers.registries = vec!["\u{1b}[2J".into()]),
        // J5: an offer must not be able to write on anyone's terminal.
        ("text", |o, _| o.note = "\u{1b}[2J".into()),
    ];
    for (what, spoil) in table {
        let (mut offer, mut market) = (offer(1), market());
        spoil(&mut offer, gpu.clone());
        let rejected = insert(&mut market, NOW, 1, offer).expect_err(what);
        assert_eq!(rejected, OfferRejected::Malformed { what });
        assert!(rejected.is_senders_fault() && market.is_empty());
    }
    let forged = Signed::sign(&offer(1), &key(2));
    assert_eq!(market().insert(NOW, offer(1), forged), Err(OfferRejected::WrongSigner));
}

#[test]
fn f7_offers_out_of_time_are_refused() {
    let mut market = market();
    let late = NOW.plus_ms(60_005);
    assert_eq!(insert(&mut market, late, 1, offer(1)), Err(OfferRejected::Expired { ago_ms: 5 }));
    let early = Timestamp::from_millis(NOW.as_millis() - 120_001);
    let ahead = insert(&mut market, early, 1, offer(1)).expect_err("from the future");
    assert_eq!(ahead, OfferRejected::FromTheFuture { ahead_ms: 120_001 });
    assert!(!ahead.is_senders_fault(), "the wrong clock may be ours");
    let long = Offer { expires_at: NOW.plus_ms(OFFER_LIFE_MS_MAX + 1), ..offer(1) };
    let rejected = insert(&mut market, NOW, 1, long).expect_err("holds too long");
    assert_eq!(
        rejected,
        OfferRejected::TooLong { ttl_ms: OFFER_LIFE_MS_MAX + 1, ttl_ms_max: OFFER_LIFE_MS_MAX }
    );
}

#[test]
fn expired_offers_go_and_forgetting_keeps_the_index_whole() {
    let mut market = market();
    for number in 1..=6 {
        let expires_at = NOW.plus_ms(u64::from(number) * 1_000);
        insert(&mut market, NOW, number, Offer { expires_at, ..offer(number) }).expect("sane");
    }
    assert_eq!(market.expire(NOW.plus_ms(2_000)), vec![node(1), node(2)]);
    market.check();
    market.forget(node(4));
    market.forget(node(4));
    market.check();
    assert_eq!(found(&market, NOW, &demand()).len(), 3);
    assert_eq!(market.offers().count(), 3);
}

#[test]
fn p3_a_full_index_is_a_sample_that_no_claim_changes() {
    let kept = |salt, order: &mut dyn Iterator<Item = u8>, ttl_ms: fn(u8) -> u64| {
        let mut market = Market::new(Config { nodes_max: 20, salt, ..Config::default() });
        let mut refused = 0;
        for number in order {
            let offer = Offer { expires_at: NOW.plus_ms(ttl_ms(number)), ..offer(number) };
            match insert(&mut market, NOW, number, offer) {
                Ok(_) => {}
                Err(OfferRejected::Full { nodes_max: 20 }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
        market.check();
        assert!(refused > 0 && market.len() == 20);
        market.offers().map(|offer| offer.node).collect::<std::collections::BTreeSet<_>>()
    };
    let even = kept(7, &mut (1..=200), |_| 60_000);
    // The second half holds twice as long, and comes first.
    let tempting = kept(7, &mut (1..=200).rev(), |number| if number > 100 { 120_000 } else { 60_000 });
    assert_eq!(even, tempting, "neither when an offer comes nor what it says matters");
    let first_half = (1..=100).filter(|number| even.contains(&node(*number))).count();
    assert!((3..=17).contains(&first_half), "a fair sample has about 10, not {first_half}");
    assert_ne!(even, kept(8, &mut (1..=200), |_| 60_000), "another salt draws another one");
}

fn slots_free(market: &Market) -> u16 {
    let matches = market.find(NOW, &demand(), 1, &[], 0);
    matches.ranked.first().map_or(0, |found| found.slots_free)
}

#[test]
fn reserved_slots_are_counted_once() {
    let mut market = market();
    let mut sequence = 0;
    let mut tell = |market: &mut Market, at_ms: u64, made_ms: u64, slots_free: u16| {
        sequence += 1;
        let made_at = NOW.plus_ms(made_ms);
        let offer = Offer { sequence, made_at, expires_at: made_at.plus_ms(60_000), slots_free, ..offer(1) };
        insert(market, NOW.plus_ms(at_ms), 1, offer).expect("newer");
    };
    // The node's clock is 5 s ahead; its offers arrive 20 ms after they were made.
    tell(&mut market, 20, 5_000, 4);
    market.reserve(NOW.plus_ms(100), node(1), 3);
    assert_eq!(slots_free(&market), 1, "not in the offer yet");
    tell(&mut market, 110, 5_080, 4);
    assert_eq!(slots_free(&market), 1, "made before the reservation, arrived after it");
    tell(&mut market, 400, 5_380, 1);
    assert_eq!(slots_free(&market), 1, "the offer shows it now");
    market.release(NOW.plus_ms(500), node(1), 2);
    assert_eq!(slots_free(&market), 3, "given back, though the offer does not show it");
    tell(&mut market, 600, 5_580, 3);
    assert_eq!(slots_free(&market), 3);
}

#[test]
fn what_was_not_granted_is_simply_undone() {
    let mut market = market();
    insert(&mut market, NOW, 1, offer(1)).expect("sane");
    market.reserve(NOW, node(1), 2);
    market.reserve(NOW, node(1), 1);
    market.release(NOW, node(1), 2);
    assert_eq!(slots_free(&market), 3);
    market.release(NOW, node(1), 1);
    assert_eq!(slots_free(&market), 4);
    market.reserve(NOW, node(1), 400);
    assert_eq!(slots_free(&market), 0);
    market.check();
}

#[test]
fn f7_a_clock_set_back_does_not_hide_slots_for_long() {
    let mut market = market();
    insert(&mut market, NOW, 1, offer(1)).expect("sane");
    market.reserve(NOW.plus_ms(10), node(1), 4);
    let made_at = Timestamp::from_millis(NOW.as_millis() - 50_000);
    let set_back = Offer { sequence: 2, made_at, expires_at: NOW.plus_ms(60_000), ..offer(1) };
    insert(&mut market, NOW.plus_ms(10_010), 1, set_back).expect("newer");
    assert_eq!(slots_free(&market), 4);
}

#[test]
fn p4_offers_are_the_heartbeat_of_clusters() {
    let mut market = market();
    insert(&mut market, NOW, 1, offer(1)).expect("sane");
    let later = Offer { made_at: NOW.plus_ms(9), slots_free: 1, levels: vec![Level::Vm], ..offer(2) };
    insert(&mut market, NOW.plus_ms(9), 2, later).expect("sane");
    let asian = Offer { region: Region::Asia, expires_at: NOW.plus_ms(50), ..offer(3) };
    insert(&mut market, NOW, 3, asian).expect("sane");
    let names = |at| market.clusters(at).into_iter().map(|cluster| cluster.name).collect::<Vec<String>>();
    let european = ["europe/function", "europe/general", "europe/vm"];
    assert_eq!(names(NOW)[..3], ["asia/function", "asia/general", "asia/vm"]);
    assert_eq!(names(NOW.plus_ms(50)), european);
    let vm = market.clusters(NOW).into_iter().find(|cluster| cluster.name == "europe/vm");
    let vm = vm.expect("two members");
    assert_eq!((vm.members, vm.slots_total, vm.slots_free), (2, 8, 5));
    assert_eq!(vm.heartbeat_at, NOW.plus_ms(9));
}

#[test]
fn a_sample_holds_live_offers_as_they_were_signed() {
    let mut market = market();
    assert!(market.sample(NOW, 10, 1).is_empty());
    for number in 1..=10 {
        let ttl_ms = if number == 4 { 1 } else { 60_000 };
        insert(&mut market, NOW, number, Offer { expires_at: NOW.plus_ms(ttl_ms), ..offer(number) })
            .expect("sane");
    }
    let sample = market.sample(NOW.plus_ms(1), 100, 5);
    assert_eq!(sample.len(), 9);
    assert!(sample.iter().all(|signed| signed.verify().is_ok()));
    assert_eq!(market.sample(NOW, 3, 8).len(), 3);
}
