//! Knocks from the local network, which no in-memory network has.

use super::{Decision, Membership, is_local};
use opensky_protocol::knock::{Knock, Refusal};
use opensky_types::{
    codec,
    membership::{InvitePolicy, MembershipChain},
    samples,
};

#[test]
fn only_addresses_of_this_machine_and_private_networks_are_local() {
    let table = [
        ("/ip4/127.0.0.1/udp/4001/quic-v1", true),
        ("/ip4/192.168.1.7/tcp/4001", true),
        ("/ip4/10.1.2.3/udp/4001/quic-v1", true),
        ("/ip4/172.16.0.9/tcp/1", true),
        ("/ip4/169.254.9.9/tcp/1", true),
        ("/ip6/::1/tcp/1", true),
        ("/ip6/fe80::1/tcp/1", true),
        ("/ip6/fd00::1/tcp/1", true),
        ("/ip6/::ffff:192.168.1.7/tcp/1", true),
        ("/ip6/::ffff:8.8.8.8/tcp/1", false),
        ("/ip4/8.8.8.8/tcp/4001", false),
        ("/ip6/2001:db8::1/tcp/1", false),
        ("/dns4/localhost/tcp/1", false),
        ("/ip4/192.168.1.7/tcp/4001/p2p/relay/p2p-circuit", false),
        ("/memory/1", false),
        ("192.168.1.7", false),
        ("", false),
    ];
    for (address, local) in table {
        assert_eq!(is_local(address), local, "{address}");
    }
}

#[test]
fn the_local_door_is_open_for_neighbours_and_for_a_time() {
    let genesis = samples::genesis(InvitePolicy::Founder);
    let (founder, guest) = (samples::founder(), samples::node(9));
    let mut door = Membership::new(genesis.clone(), founder.id(), MembershipChain::default(), Vec::new());
    let knock = codec::encode(&Knock::Local);
    let (near, far) = ("/ip4/192.168.1.7/tcp/1", "/ip4/8.8.8.8/tcp/1");
    let now = samples::NOW;
    let closed = Decision::Refuse(Refusal::DoorClosed);
    assert_eq!(door.judge(&founder, guest, near, &knock, now), closed);
    door.open_local_door(now.plus_ms(1_000));
    assert_eq!(door.judge(&founder, guest, far, &knock, now), closed);
    match door.judge(&founder, guest, near, &knock, now) {
        Decision::Join { chain, invite: None } => {
            chain.verify(&genesis, guest).expect("its membership holds");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(door.judge(&founder, guest, near, &knock, now.plus_ms(1_000)), closed);
}

#[test]
fn a_member_that_may_not_invite_opens_to_nobody() {
    let genesis = samples::genesis(InvitePolicy::Founder);
    let member = samples::keypair(3);
    let chain = samples::membership(&genesis, member.id());
    let mut door = Membership::new(genesis, member.id(), chain, Vec::new());
    door.open_local_door(samples::NOW.plus_ms(1_000));
    let knock = codec::encode(&Knock::Local);
    let decision = door.judge(&member, samples::node(9), "/ip4/10.0.0.1/tcp/1", &knock, samples::NOW);
    assert_eq!(decision, Decision::Refuse(Refusal::MayNotInvite));
}
