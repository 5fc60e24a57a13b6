//! Order without an engine, for simulations of whole skies under one clock: it keeps the promises that
//! the engine makes to a [`Chain`](crate::Chain), and signs real certificates. `tests/model.rs` holds it
//! and the engine to the same promises.
//!
//! What it leaves out is how validators come to agree: whoever drives it says who proposes, who is heard
//! and when final blocks arrive. A block is agreed on by a quorum of its epoch or not at all; agreed
//! blocks may stay without a certificate until a later one has it; nothing that is final is ever taken
//! back.

use crate::{
    block::{Block, BlockId, Draft},
    certificate::Certificate,
    chain::{Chain, Place, Proposal},
    config::Rules,
    evidence::Evidence,
    pace::{Timing, judge_time},
    validators::ValidatorSet,
    wire::{Activity, Digest, Finalization, Scheme, digest_of, namespace},
};
use commonware_codec::{Copying, DecodeExt};
use commonware_consensus::{
    simplex::types::{ConflictingNotarize, Finalize, Notarize, Proposal as Voted},
    types::{Epoch, Round, View},
};
use commonware_cryptography::ed25519::PrivateKey;
use commonware_parallel::Sequential;
use commonware_utils::iter::NonEmpty;
use opensky_types::{Hash, Keypair};

/// A final block, and its certificate if it has one of its own.
pub type Final = (Block, Option<Certificate>);

/// The order of one sky, as all its validators together know it.
pub struct Order {
    sky: Hash,
    rules: Rules,
    /// The newest block that is agreed on, final or not.
    tip: Block,
    /// Who votes on the next block, and its epoch.
    voters: (u64, ValidatorSet),
    /// Counts the rounds of voting of this epoch.
    view: u64,
    /// Agreed on, and not final before a later block has a certificate.
    agreed: Vec<Block>,
    finals: Vec<Final>,
}

impl Order {
    /// The order that begins above `genesis`.
    pub fn new(genesis: Block, validators: ValidatorSet, rules: Rules) -> Self {
        let sky = genesis.header().sky;
        Self {
            sky,
            rules,
            tip: genesis,
            voters: (0, validators),
            view: 0,
            agreed: Vec::new(),
            finals: Vec::new(),
        }
    }

    /// Who votes on the next block.
    pub fn voters(&self) -> &ValidatorSet {
        &self.voters.1
    }

    /// The epoch of the next block.
    pub fn epoch(&self) -> u64 {
        self.voters.0
    }

    /// Final blocks above a height, oldest first.
    pub fn finals_above(&self, height: u64) -> &[Final] {
        let from = usize::try_from(height).unwrap_or(usize::MAX).min(self.finals.len());
        &self.finals[from..]
    }

    /// Blocks that are agreed on and not final, oldest first: who was not there has to verify them before
    /// the next one.
    pub fn agreed(&self) -> &[Block] {
        &self.agreed
    }

    /// What a leader whose clock says `now_ms` proposes next, if it proposes anything.
    pub fn propose(&mut self, leader: &mut impl Chain, now_ms: u64, even_empty: bool) -> Option<Block> {
        self.view += 1;
        let parent = self.tip.header();
        let height = parent.height + 1;
        let place = Place {
            parent: self.tip.id(),
            height,
            epoch: self.voters.0,
            time_ms: now_ms.max(parent.time_ms.saturating_add(1)),
            // A block without a certificate becomes final with one above it, whatever that holds.
            even_empty: even_empty || !self.agreed.is_empty(),
            ends_epoch: height == self.rules.epoch_length.last(self.voters.0),
            body_bytes_max: self.rules.body_bytes_max,
        };
        let proposal = leader.propose(&place)?;
        Some(self.build(place, proposal))
    }

    fn build(&self, place: Place, proposal: Proposal) -> Block {
        assert!(proposal.body.len() <= place.body_bytes_max, "a proposal is too large");
        assert_eq!(proposal.next_validators.is_some(), place.ends_epoch, "borders name the next set");
        let draft = Draft {
            sky: self.sky,
            epoch: place.epoch,
            height: place.height,
            parent: place.parent,
            time_ms: place.time_ms,
            validators: self.voters.1.hash(),
            next_validators: proposal.next_validators,
            commitment: proposal.commitment,
        };
        Block::build(draft, proposal.body)
    }

    /// Whether a validator whose clock says `now_ms` votes for a block that stands on the newest one.
    pub fn vote(&self, validator: &mut impl Chain, block: &Block, now_ms: u64) -> bool {
        let is_timely = judge_time(block.header().time_ms, self.tip.header().time_ms, now_ms) == Timing::Good;
        is_timely && self.catch_up(validator) && validator.verify(block)
    }

    /// Makes a validator know the newest block; `false` if final blocks have not come to it yet.
    fn catch_up(&self, validator: &mut impl Chain) -> bool {
        for block in &self.agreed {
            if validator.knows(block.id()) {
                continue;
            }
            if !validator.knows(block.header().parent) {
                return false;
            }
            assert!(validator.verify(block), "validators agreed on {block:?}, which is wrong here");
        }
        validator.knows(self.tip.id())
    }

    /// Whether a validator can propose: the newest block is known to it.
    pub fn can_lead(&self, validator: &mut impl Chain) -> bool {
        self.catch_up(validator)
    }

    /// Takes a block that these have voted for. `certified`: their certificate came about too; that of an
    /// epoch's last block always does, since the next epoch waits for it. Less than a quorum changes
    /// nothing.
    pub fn agree(&mut self, block: Block, voters: &[&Keypair], certified: bool) -> bool {
        assert_eq!(block.header().parent, self.tip.id(), "blocks stand on each other");
        let voters: Vec<&Keypair> =
            voters.iter().copied().filter(|key| self.voters.1.contains(key.id())).collect();
        if voters.len() < self.voters.1.quorum() {
            return false;
        }
        let next = block.header().next_validators.clone();
        if certified || next.is_some() {
            let certificate = self.certify(&block, &voters);
            let waited = self.agreed.drain(..).map(|block| (block, None));
            self.finals.extend(waited.chain([(block.clone(), Some(certificate))]));
        } else {
            self.agreed.push(block.clone());
        }
        if let Some(next) = next {
            (self.voters, self.view) = ((self.voters.0 + 1, next), 0);
        }
        self.tip = block;
        true
    }

    fn certify(&self, block: &Block, voters: &[&Keypair]) -> Certificate {
        let voted = self.voted(block.id());
        let votes: Vec<_> = voters
            .iter()
            .map(|key| Finalize::sign(&self.scheme(key), voted.clone()).expect("it votes in this epoch"))
            .collect();
        let votes = NonEmpty::try_new(votes.into_iter()).expect("a quorum");
        let scheme = self.scheme(voters[0]);
        let certificate = Finalization::from_owned_finalizes(&scheme, votes, &Sequential).expect("a quorum");
        Certificate::new(certificate)
    }

    /// What honest validators find when one of them votes for two blocks at once.
    pub fn double_vote(&self, liar: &Keypair) -> Option<Evidence> {
        if !self.voters.1.contains(liar.id()) {
            return None;
        }
        let scheme = self.scheme(liar);
        let vote = |block: [u8; 32]| {
            let voted = self.voted(BlockId::from_bytes(block));
            Notarize::sign(&scheme, voted).expect("it votes in this epoch")
        };
        let conflict = ConflictingNotarize::new(vote([1; 32]), vote([2; 32]));
        Evidence::of(Activity::ConflictingNotarize(conflict))
    }

    fn voted(&self, block: BlockId) -> Voted<Digest> {
        let round = Round::new(Epoch::new(self.voters.0), View::new(self.view + 1));
        Voted::new(round, View::new(self.view), digest_of(block))
    }

    fn scheme(&self, key: &Keypair) -> Scheme {
        let secret = PrivateKey::decode(Copying(&key.seed()[..])).expect("a seed");
        Scheme::signer(&namespace(self.sky), self.voters.1.engine_keys(), secret).expect("it is in the set")
    }
}
