//! The door of a sky: invites, memberships, strangers.

use crate::support::{Sky, until};
use opensky_node::{JoinError, join, member_knock};
use opensky_ports::{Clock, Record, testing::FakeExecutor, testing::MemoryTransport};
use opensky_protocol::{
    Message,
    knock::{Knock, KnockReply, Refusal},
};
use opensky_types::{
    Keypair, NodeId, Signed, Timestamp, codec,
    membership::{Genesis, Invite, InviteToken, Membership, MembershipChain},
};

const HOUR_MS: u64 = 3_600_000;

struct Newcomer {
    key: Keypair,
    transport: MemoryTransport,
}

impl Newcomer {
    fn new(sky: &Sky, seed: u8) -> Self {
        let key = Keypair::from_seed([seed; 32]);
        // Its events are of no interest: nobody talks to a stranger.
        let (transport, _) = sky.network.start(key.id());
        Self { key, transport }
    }

    async fn join(&self, sky: &Sky, token: &InviteToken) -> Result<opensky_node::Joined, JoinError> {
        let nowhere = (self.key.id(), Vec::new());
        join(&self.transport, self.key.id(), Some(token), nowhere, sky.clock.now()).await
    }

    async fn knock(&self, sky: &Sky, at: NodeId, body: Vec<u8>) -> KnockReply {
        use opensky_ports::Transport;
        let answer = self.transport.knock(at, vec![sky.network.address(at)], body).await;
        KnockReply::from_body(&answer.expect("somebody answers")).expect("it is an answer")
    }
}

fn is_refused<T>(joined: Result<T, JoinError>, why: Refusal) -> bool {
    matches!(joined, Err(JoinError::Refused(refusal)) if refusal == why)
}

#[tokio::test(start_paused = true)]
async fn an_invite_lets_in_as_many_as_it_says() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let token = sky.nodes[0].handle.invite(2, HOUR_MS).await.expect("the founder may invite");
    let guests: Vec<Newcomer> = (50..53).map(|seed| Newcomer::new(&sky, seed)).collect();
    for guest in &guests[..2] {
        let joined = guest.join(&sky, &token).await.expect("there is room");
        assert_eq!(joined.genesis, sky.genesis);
        joined.chain.verify(&sky.genesis, guest.key.id()).expect("its membership holds");
    }
    assert!(is_refused(guests[2].join(&sky, &token).await, Refusal::InviteUsedUp));
    // Whoever joined may ask again, as after a crash before it wrote down the answer.
    guests[0].join(&sky, &token).await.expect("the same node again costs nothing");
    let issued = sky.nodes[0].handle.invites().await.expect("node answers");
    assert_eq!(issued[0].used_by, [guests[0].key.id(), guests[1].key.id()]);
}

#[tokio::test(start_paused = true)]
async fn an_invite_is_counted_over_restarts() {
    let mut sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let token = sky.nodes[0].handle.invite(1, HOUR_MS).await.expect("the founder may invite");
    Newcomer::new(&sky, 50).join(&sky, &token).await.expect("there is room");
    let dead = sky.kill(0);
    sky.revive(0, dead, FakeExecutor::echo()).await;
    assert!(is_refused(Newcomer::new(&sky, 51).join(&sky, &token).await, Refusal::InviteUsedUp));
}

#[tokio::test(start_paused = true)]
async fn an_invite_expires_on_both_sides() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let token = sky.nodes[0].handle.invite(1, 60_000).await.expect("the founder may invite");
    let guest = Newcomer::new(&sky, 50);
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    assert!(matches!(guest.join(&sky, &token).await, Err(JoinError::Expired)));
    // A guest whose clock lies is told by the issuer.
    let nowhere = (guest.key.id(), Vec::new());
    let joined = join(&guest.transport, guest.key.id(), Some(&token), nowhere, Timestamp::default()).await;
    assert!(is_refused(joined, Refusal::InviteExpired));
}

#[tokio::test(start_paused = true)]
async fn a_changed_or_foreign_invite_is_worth_nothing() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let token = sky.nodes[0].handle.invite(1, HOUR_MS).await.expect("the founder may invite");
    let guest = Newcomer::new(&sky, 50);
    let invite = token.0.verify().expect("it is signed");
    let knock = |invite: Signed<Invite>| codec::encode(&Knock::Invited { invite });

    // More uses, signed by the guest itself, shown to the issuer and offered to `join`.
    let changed = Invite { uses_max: 1_000, ..invite.clone() };
    let forged = Signed::sign(&changed, &guest.key);
    let reply = guest.knock(&sky, sky.id(0), knock(forged)).await;
    assert_eq!(reply, KnockReply::Refused { refusal: Refusal::InviteInvalid });

    // The right invite, shown to another member than its issuer.
    let reply = guest.knock(&sky, sky.id(1), knock(token.0.clone())).await;
    assert_eq!(reply, KnockReply::Refused { refusal: Refusal::InviteInvalid });

    // An invite that the issuer signed with the same number but never issued.
    let founder = Keypair::from_seed([1; 32]);
    let reply = guest.knock(&sky, sky.id(0), knock(Signed::sign(&changed, &founder))).await;
    assert_eq!(reply, KnockReply::Refused { refusal: Refusal::InviteInvalid });

    // A token with one byte changed is noticed before anybody is asked.
    let mut bytes = codec::encode(&token.0);
    bytes[20] ^= 1;
    let changed: Signed<Invite> = codec::decode(&bytes, 8_192).expect("still a signed value");
    assert!(matches!(guest.join(&sky, &InviteToken(changed)).await, Err(JoinError::Forged(_))));

    guest.join(&sky, &token).await.expect("none of it used the invite up");
}

/// Whoever is let in is on disk first, else a crash would forget a member, or a use.
#[tokio::test(start_paused = true)]
async fn f1_nobody_joins_before_it_is_on_disk() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let token = sky.nodes[0].handle.invite(1, HOUR_MS).await.expect("the founder may invite");
    let guest = Newcomer::new(&sky, 50);
    let journal = sky.nodes[0].journal.clone();
    journal.break_disk();
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(20), guest.join(&sky, &token)).await;
    assert!(waiting.is_err(), "no answer while the disk is broken");
    let is_use = |record: &Record| matches!(record, Record::InviteUsed { .. });
    assert!(!journal.records().iter().any(is_use));
    journal.mend_disk();
    guest.join(&sky, &token).await.expect("it is let in now");
    assert_eq!(journal.records().iter().filter(|record| is_use(record)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_members_get_in() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let guest = Newcomer::new(&sky, 50);
    let not_member = KnockReply::Refused { refusal: Refusal::NotMember };
    let other = Genesis { nonce: 2, ..sky.genesis.clone() };
    let founder = Keypair::from_seed([1; 32]);
    let signed = |sky: &Genesis, node, key: &Keypair| {
        Signed::sign(&Membership { sky: sky.sky(), node, given_at: Timestamp::default() }, key)
    };
    let own = guest.key.id();
    let chains = [
        ("no membership", MembershipChain::default()),
        ("another sky's", MembershipChain(vec![signed(&other, own, &founder)])),
        ("its own word", MembershipChain(vec![signed(&sky.genesis, own, &guest.key)])),
        ("another node's", MembershipChain(vec![signed(&sky.genesis, sky.genesis.founder, &founder)])),
        ("too long a chain", MembershipChain(vec![signed(&sky.genesis, own, &founder); 9])),
    ];
    for (name, chain) in chains {
        let reply = guest.knock(&sky, sky.id(0), member_knock(&sky.genesis, &chain)).await;
        assert_eq!(reply, not_member, "{name}");
    }
    let reply = guest.knock(&sky, sky.id(0), vec![255; 20_000]).await;
    assert_eq!(reply, not_member, "nonsense");
    let reply = guest.knock(&sky, sky.id(0), codec::encode(&Knock::Local)).await;
    assert_eq!(reply, KnockReply::Refused { refusal: Refusal::DoorClosed });
    // The door is for neighbours; an address that is not of the local network stays outside.
    sky.nodes[0].handle.open_local_door(HOUR_MS).await.expect("the founder may");
    let reply = guest.knock(&sky, sky.id(0), codec::encode(&Knock::Local)).await;
    assert_eq!(reply, KnockReply::Refused { refusal: Refusal::DoorClosed });
    assert_eq!(sky.nodes[0].handle.status().await.expect("node answers").peers, 0);
}

/// A member let in by a member is known to all, by its chain alone.
#[tokio::test(start_paused = true)]
async fn a_guest_of_a_guest_belongs() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    let token = sky.nodes[1].handle.invite(1, HOUR_MS).await.expect("every member may invite here");
    let guest = Newcomer::new(&sky, 50);
    let joined = guest.join(&sky, &token).await.expect("there is room");
    assert_eq!(joined.chain.0.len(), 2);
    let reply = guest.knock(&sky, sky.id(0), member_knock(&sky.genesis, &joined.chain)).await;
    assert!(matches!(reply, KnockReply::Welcome { .. }));
    let journal = sky.nodes[0].journal.clone();
    let known =
        |record: &Record| matches!(record, Record::MemberKnown { node, .. } if *node == guest.key.id());
    until(|| async { journal.records().iter().any(known) }).await;
}
