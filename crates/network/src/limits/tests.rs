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
    let id = ConnectionId::new_unchecked;
    let mut strangers = strangers(3, 2, 10);
    assert_eq!(strangers.enter(id(1), ip(1), now), Ok(()));
    assert_eq!(strangers.enter(id(2), ip(1), now), Ok(()));
    assert_eq!(strangers.enter(id(3), ip(1), now), Err(Denied::StrangersOfAddress));
    assert_eq!(strangers.enter(id(4), ip(2), now), Ok(()));
    assert_eq!(strangers.enter(id(5), ip(3), now), Err(Denied::Strangers));
    strangers.leave(id(1));
    assert_eq!(strangers.enter(id(6), ip(3), now), Ok(()));
}

#[test]
fn p3_an_address_cannot_come_and_go_without_end() {
    let now = Instant::now();
    let mut strangers = strangers(100, 100, 5);
    let entered = (0..50).filter(|index| {
        let connection = ConnectionId::new_unchecked(*index);
        let entered = strangers.enter(connection, ip(1), now).is_ok();
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
