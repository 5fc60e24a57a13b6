use super::{Bans, Bucket, Buckets, Denied, FREE_STRIKES, REMEMBERED_MAX, Strangers};
use crate::config::Limits;
use libp2p::{PeerId, swarm::ConnectionId};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn strangers(total_max: usize, per_ip_max: usize, per_ip_burst: u32) -> Strangers {
    Strangers::new(&Limits {
        strangers_max: total_max,
        strangers_per_ip_max: per_ip_max,
        strangers_per_ip_burst: per_ip_burst,
        pending_max: 4,
        ..Limits::default()
    })
}

#[test]
fn p3_one_address_cannot_take_all_places_for_handshakes() {
    let id = ConnectionId::new_unchecked;
    let mut strangers = strangers(9, 9, 9);
    assert_eq!(strangers.begin(id(1), ip(1)), Ok(()));
    assert_eq!(strangers.begin(id(2), ip(1)), Ok(()));
    assert_eq!(strangers.begin(id(3), ip(1)), Err(Denied::Pending));
    assert_eq!(strangers.begin(id(4), ip(2)), Ok(()));
    strangers.finish(id(1));
    assert_eq!(strangers.begin(id(5), ip(1)), Ok(()));
}

#[test]
fn a_bucket_gives_its_burst_and_then_its_rate() {
    let start = Instant::now();
    let mut bucket = Bucket::new(3, 2, start);
    assert_eq!((0..5).filter(|_| bucket.take(start)).count(), 3);
    assert_eq!((0..5).filter(|_| bucket.take(start + Duration::from_secs(1))).count(), 2);
    assert!(bucket.is_full(start + Duration::from_secs(60)));
}

#[test]
fn p3_many_keys_cost_bounded_memory() {
    let now = Instant::now();
    let mut buckets = Buckets::new(2, 1);
    let allowed = (0..REMEMBERED_MAX * 2).filter(|key| buckets.take(*key, now)).count();
    assert_eq!(allowed, REMEMBERED_MAX);
    assert!(buckets.take(usize::MAX, now + Duration::from_secs(2)), "idle keys are forgotten");
}

#[test]
fn p3_strangers_are_bounded_in_all_and_by_address() {
    let now = Instant::now();
    let mut strangers = strangers(3, 2, 10);
    let mut enter = |number, ip| {
        let id = ConnectionId::new_unchecked(number);
        strangers.enter(id, PeerId::random(), ip, now).map(|evicted| evicted.map(|(_, id)| id))
    };
    assert_eq!(enter(1, ip(1)), Ok(None));
    assert_eq!(enter(2, ip(1)), Ok(None));
    assert_eq!(enter(3, ip(1)), Err(Denied::StrangersOfAddress));
    assert_eq!(enter(4, ip(2)), Ok(None));
    assert_eq!(enter(5, ip(3)), Ok(Some(ConnectionId::new_unchecked(1))), "the oldest goes");
    assert_eq!(enter(6, ip(3)), Ok(Some(ConnectionId::new_unchecked(2))));
    assert_eq!(enter(7, ip(1)), Err(Denied::StrangersOfAddress), "its two are closing, and not gone");
    assert_eq!(enter(8, ip(4)), Ok(Some(ConnectionId::new_unchecked(4))));
    assert_eq!(enter(9, ip(5)), Err(Denied::Strangers), "as many are closing as may be there");
    for gone in [1, 2, 4, 6] {
        strangers.leave(ConnectionId::new_unchecked(gone));
    }
    let evicted = strangers.enter(ConnectionId::new_unchecked(10), PeerId::random(), ip(4), now);
    assert_eq!(evicted, Ok(None), "a place was free");
    assert_eq!(strangers.open.len(), 3);
}

#[test]
fn p3_a_few_networks_with_many_addresses_keep_nobody_out() {
    let now = Instant::now();
    let mut strangers = strangers(64, 16, 64);
    let other = |net: u8| IpAddr::from(Ipv4Addr::new(203, 0, net, 1));
    let mut honest = Vec::new();
    for round in 0..100_u8 {
        for attacker in 0..8 {
            let id = ConnectionId::new_unchecked(usize::from(round) * 100 + usize::from(attacker));
            // Refused or let in: they take what they get, and what is closed is gone in the end.
            if let Ok(Some((_, evicted))) = strangers.enter(id, PeerId::random(), ip(attacker), now) {
                strangers.leave(evicted);
            }
        }
        let id = ConnectionId::new_unchecked(usize::from(round) * 100 + 99);
        let entered = strangers.enter(id, PeerId::random(), other(round), now);
        if let Some((_, evicted)) = entered.expect("there is always a place") {
            assert!(!honest.contains(&evicted), "the network that holds most gives up a place");
            strangers.leave(evicted);
        }
        honest.push(id);
        if honest.len() > 8 {
            strangers.leave(honest.remove(0));
        }
        assert!(strangers.open.len() <= 64);
    }
}

#[test]
fn p3_who_has_knocked_keeps_its_place_rather_than_who_says_nothing() {
    let now = Instant::now();
    let mut strangers = strangers(3, 3, 10);
    let id = ConnectionId::new_unchecked;
    for (number, net) in [(1, 1), (2, 2), (3, 3)] {
        let ip = Ipv4Addr::new(203, 0, net, 1).into();
        assert_eq!(strangers.enter(id(number), PeerId::random(), ip, now), Ok(None));
    }
    strangers.note_knock(id(1));
    let evicted = strangers.enter(id(4), PeerId::random(), ip(1), now).unwrap().map(|(_, id)| id);
    assert_eq!(evicted, Some(id(2)), "the first has knocked");
    let nobody = super::Limits { strangers_max: 0, ..super::Limits::default() };
    assert_eq!(Strangers::new(&nobody).enter(id(1), PeerId::random(), ip(1), now), Err(Denied::Strangers));
}

#[test]
fn p3_a_network_is_what_one_owner_usually_has() {
    let net = |text: &str| super::network_of(text.parse().unwrap());
    assert_eq!(net("192.0.2.1"), net("192.0.2.254"));
    assert_ne!(net("192.0.2.1"), net("192.0.3.1"));
    assert_eq!(net("2001:db8:1:2::3"), net("2001:db8:1:ffff::4"));
    assert_ne!(net("2001:db8:1::1"), net("2001:db8:2::1"));
}

#[test]
fn p3_an_address_cannot_come_and_go_without_end() {
    let now = Instant::now();
    let mut strangers = strangers(100, 100, 5);
    let entered = (0..50).filter(|index| {
        let connection = ConnectionId::new_unchecked(*index);
        let entered = strangers.enter(connection, PeerId::random(), ip(1), now).is_ok();
        strangers.leave(connection);
        entered
    });
    assert_eq!(entered.count(), 5);
}

#[test]
fn refusals_become_bans_that_grow_and_end() {
    let start = Instant::now();
    let peer = PeerId::random();
    let mut bans = Bans::default();
    for _ in 0..FREE_STRIKES {
        bans.strike(peer, start);
        assert!(!bans.is_banned(&peer, start));
    }
    bans.strike(peer, start);
    assert!(bans.is_banned(&peer, start));
    assert!(!bans.is_banned(&peer, start + Duration::from_secs(31)));
    bans.strike(peer, start + Duration::from_secs(31));
    assert!(bans.is_banned(&peer, start + Duration::from_secs(31 + 60)), "the second is longer");
    bans.forgive(&peer);
    assert!(!bans.is_banned(&peer, start));
    bans.expel(peer, start);
    assert!(bans.is_banned(&peer, start), "expelling needs no strikes");
    bans.strike(peer, start + Duration::from_secs(2 * 3600));
    assert!(!bans.is_banned(&peer, start + Duration::from_secs(2 * 3600)), "long ago is forgiven");
}
