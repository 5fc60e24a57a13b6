//! Who belongs to a sky, and who may say so (spec N3; threat L7).

use opensky_types::{
    Hash, NodeId, Signed,
    key::Keypair,
    membership::{
        CHAIN_LENGTH_MAX, Genesis, Invite, InvitePolicy, InviteToken, Membership, MembershipChain,
        MembershipError,
    },
    samples,
    signed::SignedError,
};
use proptest::prelude::{any, prop_assert, proptest};

fn members() -> Genesis {
    samples::genesis(InvitePolicy::Members)
}

/// Founder (1) lets in 11, who lets in 12, and so on, `length` times.
fn chain(genesis: &Genesis, length: u8) -> (MembershipChain, NodeId) {
    let mut chain = MembershipChain::default();
    let mut inviter = samples::founder();
    for number in 11..11 + length {
        let guest = samples::keypair(number);
        chain = chain.extend(&inviter, genesis, guest.id(), samples::NOW);
        inviter = guest;
    }
    (chain, inviter.id())
}

fn link(sky: Hash, node: NodeId, key: &Keypair) -> Signed<Membership> {
    Signed::sign(&Membership { sky, node, given_at: samples::NOW }, key)
}

#[test]
fn chains_up_to_the_limit_lead_to_the_founder() {
    let genesis = members();
    for length in 0..=CHAIN_LENGTH_MAX as u8 {
        let (chain, node) = chain(&genesis, length);
        assert_eq!(chain.0.len(), usize::from(length));
        assert_eq!(chain.verify(&genesis, node), Ok(()), "{length} links");
    }
    let length = CHAIN_LENGTH_MAX + 1;
    let (chain, node) = chain(&genesis, length as u8);
    assert_eq!(chain.verify(&genesis, node), Err(MembershipError::TooLong { length }));
}

#[test]
fn only_the_founder_belongs_without_a_chain() {
    let genesis = members();
    let empty = MembershipChain::default();
    assert_eq!(empty.verify(&genesis, genesis.founder), Ok(()));
    let node = samples::node(9);
    assert_eq!(empty.verify(&genesis, node), Err(MembershipError::Broken { node }));
}

#[test]
fn the_policy_says_who_invites() {
    let genesis = samples::genesis(InvitePolicy::Founder);
    let (direct, node) = chain(&genesis, 1);
    assert_eq!(direct.verify(&genesis, node), Ok(()));
    let (indirect, node) = chain(&genesis, 2);
    let inviter = samples::node(11);
    assert_eq!(indirect.verify(&genesis, node), Err(MembershipError::NotAllowed { inviter }));
}

#[test]
fn a_chain_of_another_sky_counts_nothing() {
    let (genesis, other) = (members(), Genesis { nonce: 2, ..members() });
    assert_ne!(genesis.sky(), other.sky());
    let (chain, node) = chain(&other, 2);
    assert_eq!(chain.verify(&other, node), Ok(()));
    assert_eq!(chain.verify(&genesis, node), Err(MembershipError::OtherSky));
}

#[test]
fn a_chain_that_does_not_lead_there_is_broken() {
    let genesis = members();
    let (whole, node) = chain(&genesis, 3);
    let broken = Err(MembershipError::Broken { node });

    assert_eq!(
        whole.verify(&genesis, samples::node(9)),
        Err(MembershipError::Broken { node: samples::node(9) }),
        "someone else's chain"
    );
    for missing in 0..3 {
        let mut links = whole.0.clone();
        links.remove(missing);
        assert_eq!(MembershipChain(links).verify(&genesis, node), broken, "link {missing} is missing");
    }
    let mut links = whole.0.clone();
    links.swap(0, 1);
    assert_eq!(MembershipChain(links).verify(&genesis, node), broken, "out of order");
    let mut links = whole.0.clone();
    links.extend(whole.0.iter().cloned());
    assert_eq!(MembershipChain(links).verify(&genesis, node), broken, "more after the founder");

    let own_word = MembershipChain(vec![link(genesis.sky(), node, &samples::keypair(13))]);
    assert_eq!(own_word.verify(&genesis, node), broken, "one's own word");
    let stranger = samples::keypair(9);
    let strangers_word = MembershipChain(vec![link(genesis.sky(), node, &stranger)]);
    assert_eq!(strangers_word.verify(&genesis, node), broken, "a stranger's word");
}

#[test]
fn a_forged_link_is_refused() {
    let genesis = members();
    let node = samples::node(9);
    let signed = link(genesis.sky(), node, &samples::keypair(9));
    let mut bytes = opensky_types::codec::encode(&signed);
    let signer_at = bytes.len() - 96;
    bytes[signer_at..signer_at + 32].copy_from_slice(genesis.founder.public_key());
    let forged = MembershipChain(vec![opensky_types::codec::decode(&bytes, 1_000).unwrap()]);
    let bad = SignedError::BadSignature { signer: genesis.founder };
    assert_eq!(forged.verify(&genesis, node), Err(MembershipError::Signature(bad)));
}

#[test]
fn every_field_of_the_genesis_names_the_sky() {
    let changes: [fn(&mut Genesis); 9] = [
        |g| g.name.push('x'),
        |g| g.founder = samples::node(9),
        |g| g.founded_at = g.founded_at.plus_ms(1),
        |g| g.invites = InvitePolicy::Founder,
        |g| g.economy_free = !g.economy_free,
        |g| g.supply = opensky_types::Micros::new(1),
        |g| g.validators.push(samples::node(9)),
        |g| g.epoch_blocks += 1,
        |g| g.nonce += 1,
    ];
    for change in changes {
        let mut genesis = members();
        change(&mut genesis);
        assert_ne!(genesis.sky(), members().sky());
    }
}

fn token() -> InviteToken {
    InviteToken(Signed::sign(&samples::invite(), &samples::founder()))
}

#[test]
fn an_invite_travels_as_text() {
    let text = token().to_string();
    assert!(text.starts_with("sky1"));
    let read: InviteToken = format!("  {text}\n").parse().expect("spaces around it do not matter");
    assert_eq!(read.0.verify(), Ok(samples::invite()));
    let changed = Signed::sign(&Invite { uses_max: 4, ..samples::invite() }, &samples::founder());
    assert_ne!(InviteToken(changed).to_string(), text);
}

#[test]
fn what_is_no_invite_is_refused() {
    let text = token().to_string();
    for wrong in ["", "sky1", "sky2abc", &text[4..], &text[..text.len() - 1], &format!("{text}1")] {
        assert!(wrong.parse::<InviteToken>().is_err(), "{wrong}");
    }
    let huge = format!("sky1{}", "z".repeat(1 << 20));
    let error = huge.parse::<InviteToken>().expect_err("a huge text is refused before it is decoded");
    assert!(error.to_string().len() < 200, "an error does not repeat a huge text");
}

proptest! {
    #[test]
    fn a_changed_character_is_noticed(place in any::<proptest::sample::Index>(), new in "[1-9A-Za-z]") {
        let text = token().to_string();
        let place = 4 + place.index(text.len() - 4);
        let changed = format!("{}{new}{}", &text[..place], &text[place + 1..]);
        prop_assert!(changed == text || changed.parse::<InviteToken>().is_err());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = text.parse::<InviteToken>();
        let _ = format!("sky1{text}").parse::<InviteToken>();
    }
}
