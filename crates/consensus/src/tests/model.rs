//! The model of order under the checks that the engine's clusters run under: the same chains, which
//! refuse a fork, a gap, a border without a certificate and a parent they do not know.

use super::{
    chain::{Numbers, Shared},
    cluster::{keys, set_of},
};
use crate::{Chain, EpochLength, LightClient, Rules, model::Order};
use opensky_types::Keypair;
use proptest::prelude::*;

const EPOCH: u64 = 4;

/// Some validators of a model; those that are down have no chain.
struct Cluster {
    keys: Vec<Keypair>,
    shared: Shared,
    order: Order,
    chains: Vec<Option<Numbers>>,
    now_ms: u64,
}

impl Cluster {
    fn new(count: u8) -> Self {
        let keys = keys(count);
        let shared = Shared::new(vec![set_of(&keys)]);
        let genesis = shared.lock().genesis.clone();
        let rules = Rules::new(EpochLength::new(EPOCH).expect("four"));
        let order = Order::new(genesis, set_of(&keys), rules);
        let chains = keys.iter().map(|key| Some(Numbers::open(key.id(), &shared))).collect();
        Self { keys, shared, order, chains, now_ms: 1 }
    }

    /// A chain that opens has what was written; the rest comes to it anew, as after a crash.
    fn start(&mut self, index: usize) {
        self.chains[index] = Some(Numbers::open(self.keys[index].id(), &self.shared));
    }

    /// Brings at most `count` final blocks to a validator.
    fn deliver(&mut self, index: usize, count: usize) {
        let height = self.height(index);
        let Some(chain) = &mut self.chains[index] else { return };
        for (block, certificate) in self.order.finals_above(height).iter().take(count) {
            chain.finalized(block, certificate.as_ref()).expect("its disk works");
        }
    }

    fn height(&self, index: usize) -> u64 {
        self.shared.lock().heads.get(&self.keys[index].id()).map_or(0, |(height, _)| *height)
    }

    /// One round of voting among those that are up and heard.
    fn round(&mut self, leader: usize, heard: u32, certified: bool) -> bool {
        self.now_ms += 10;
        let Self { keys, order, chains, now_ms, .. } = self;
        let Some(chain) = &mut chains[leader] else { return false };
        if !order.can_lead(chain) {
            return false;
        }
        let Some(block) = order.propose(chain, *now_ms, false) else { return false };
        let mut voters = Vec::new();
        for (index, chain) in chains.iter_mut().enumerate() {
            let Some(chain) = chain.as_mut().filter(|_| heard >> index & 1 == 1) else { continue };
            if order.vote(chain, &block, *now_ms) {
                voters.push(&keys[index]);
            }
        }
        order.agree(block, &voters, certified)
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A number comes up; then this leader tries, heard by those whose bits are set.
    Round {
        leader: usize,
        heard: u32,
        certified: bool,
    },
    Deliver {
        index: usize,
        count: usize,
    },
    Crash {
        index: usize,
    },
    Start {
        index: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4_usize, 0..16_u32, any::<bool>())
            .prop_map(|(leader, heard, certified)| Step::Round { leader, heard: heard | 1 << leader, certified }),
        6 => (0..4_usize, 1..6_usize).prop_map(|(index, count)| Step::Deliver { index, count }),
        1 => (0..4_usize).prop_map(|index| Step::Crash { index }),
        2 => (0..4_usize).prop_map(|index| Step::Start { index }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever happens, the chains' own checks hold, and once all are back everybody has everything.
    #[test]
    fn l1_the_model_keeps_the_promises_of_the_engine(steps in prop::collection::vec(step(), 1..120)) {
        let mut cluster = Cluster::new(4);
        for (number, step) in steps.into_iter().enumerate() {
            cluster.shared.lock().pending.insert(number as u64);
            match step {
                Step::Round { leader, heard, certified } => {
                    cluster.round(leader, heard, certified);
                }
                Step::Deliver { index, count } => cluster.deliver(index, count),
                Step::Crash { index } => cluster.chains[index] = None,
                Step::Start { index } if cluster.chains[index].is_none() => cluster.start(index),
                Step::Start { .. } => {}
            }
        }
        for index in 0..4 {
            if cluster.chains[index].is_none() {
                cluster.start(index);
            }
        }
        // The leader may lack what a round decided, so everything is delivered before and after.
        for certified in [true, true] {
            (0..4).for_each(|index| cluster.deliver(index, usize::MAX));
            cluster.round(0, 0b1111, certified);
        }
        (0..4).for_each(|index| cluster.deliver(index, usize::MAX));
        let pending = cluster.shared.lock().pending.clone();
        for index in 0..4 {
            let (_, numbers) = cluster.shared.lock().heads[&cluster.keys[index].id()].clone();
            prop_assert_eq!(&numbers, &pending, "validator {} lacks a number", index);
        }
    }
}

#[test]
fn a_light_client_follows_the_certificates_of_the_model() {
    let mut cluster = Cluster::new(4);
    let genesis = cluster.shared.lock().genesis.clone();
    let length = EpochLength::new(EPOCH).expect("four");
    let mut client = LightClient::new(&genesis, set_of(&cluster.keys), length);
    for number in 0..20 {
        cluster.shared.lock().pending.insert(number);
        assert!(cluster.round(number as usize % 4, 0b0111 | 1 << (number % 4), number % 3 > 0), "{number}");
        (0..4).for_each(|index| cluster.deliver(index, usize::MAX));
    }
    let mut headers = Vec::new();
    for (block, certificate) in cluster.order.finals_above(0) {
        headers.push(block.header().clone());
        if let Some(certificate) = certificate {
            client.follow(&headers, certificate).expect("a quorum signed");
            headers.clear();
        }
    }
    assert!(client.height() >= 19, "at {}", client.height());
}

#[test]
fn l1_less_than_a_quorum_agrees_on_nothing_and_two_votes_are_evidence() {
    let mut cluster = Cluster::new(4);
    cluster.shared.lock().pending.insert(1);
    assert!(!cluster.round(0, 0b0011, true), "two of four");
    assert!(cluster.round(0, 0b0111, true), "three of four");
    let evidence = cluster.order.double_vote(&cluster.keys[2]).expect("it votes");
    let sky = cluster.shared.lock().genesis.header().sky;
    let offence = evidence.verify(sky, 0, &set_of(&cluster.keys)).expect("it signed both");
    assert_eq!(offence.validator, cluster.keys[2].id());
    assert!(cluster.order.double_vote(&Keypair::from_seed([99; 32])).is_none(), "no validator");
}
