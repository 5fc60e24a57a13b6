//! Who votes on blocks, and how that changes (spec L2).
//!
//! A validator is a candidate first: named by the authority in a private sky, by its own stake and
//! reputation in an open one. The set in force changes only where an epoch ends; [`Roster::elect`]
//! makes the next one from the candidates, the same on every node. Each member has one vote, so an
//! account counts once however much it stakes, and cheap identities count for nothing (threat L7):
//! two votes need two minimum stakes.

mod act;

pub(crate) use act::{add, end_epoch, is_in_force, punish_two_votes, remove, set_checkpoint_key};

use crate::{evm::Address, reputation::Score};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Micros, NodeId};

/// Most validators in force; certificates and votes grow with them.
pub const VALIDATORS_MAX: usize = 64;
/// Most candidates; each is looked at where an epoch ends.
pub const CANDIDATES_MAX: usize = 256;
/// An election does not make a set smaller than this for want of stake or reputation: fewer than four
/// can't bear a single fault.
pub const VALIDATORS_SAFE: usize = 4;

/// Who may become a validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Admission {
    /// Whom this account names: a private sky.
    Named(AccountId) = 0,
    /// Who has this stake and this reputation: an open sky.
    Staked(Micros, Score) = 1,
}

impl Admission {
    /// An open sky with the reputation of veterans.
    pub fn open(stake_min: Micros) -> Self {
        Self::Staked(stake_min, Score::MAX.minus(100))
    }
}

/// A validator, or one that would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Candidate {
    /// Whose stake answers for it.
    pub account: AccountId,
    /// The key it votes with.
    pub node: NodeId,
    /// The key it signs checkpoints for public chains with, if it has one.
    pub checkpoint_key: Option<Address>,
}

/// What stands behind a candidate when an epoch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its bonded stake.
    pub bonded: Micros,
    /// Its reputation.
    pub score: Score,
    /// Whether it is neither frozen nor banned.
    pub may_work: bool,
}

/// Why a candidate was not added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// The authority names validators in a private sky, they themselves in an open one; any may go.
    #[error("{0} may not add or remove this validator")]
    NotAllowed(AccountId),
    /// Less stake than the minimum.
    #[error("{bonded} at stake; a validator needs {wanted}")]
    Stake {
        /// At stake.
        bonded: Micros,
        /// The minimum.
        wanted: Micros,
    },
    /// Less reputation than the minimum, or frozen, or banned.
    #[error("reputation {score}, may work: {may_work}; a validator needs {wanted} and no freeze")]
    Reputation {
        /// Its reputation.
        score: Score,
        /// Whether it may take work.
        may_work: bool,
        /// The minimum.
        wanted: Score,
    },
    /// The account, or the key, has a place already.
    #[error("{0} is a candidate already")]
    Twice(AccountId),
    /// No such candidate.
    #[error("{0} is no candidate")]
    Unknown(AccountId),
    /// Without it nobody would be left to vote.
    #[error("{0} is the last validator")]
    Last(AccountId),
    /// More validators than votes can be counted of.
    #[error("{count} validators, {VALIDATORS_MAX} at most")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// No more places.
    #[error("there are {CANDIDATES_MAX} candidates, no more are taken")]
    Full,
}

/// The candidates and the set in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Roster {
    epoch: u64,
    /// In the order of their voting keys.
    in_force: Vec<Candidate>,
    /// The set of the epoch before, whose late evidence still counts; empty in the first.
    previous: Vec<Candidate>,
    /// In the order of their accounts.
    candidates: Vec<Candidate>,
}

impl Roster {
    /// The roster of a new sky: these validate its first epoch. At least one, each account and key once.
    pub fn new(first: Vec<Candidate>) -> Result<Self, RosterError> {
        let mut roster = Self::default();
        if first.len() > VALIDATORS_MAX {
            return Err(RosterError::TooMany { count: first.len() });
        }
        for candidate in first {
            roster.insert(candidate)?;
        }
        roster.in_force = by_node(roster.candidates.clone());
        Ok(roster)
    }

    /// The epoch of the set in force.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The set in force, in the order of voting keys: the order in which the engine numbers them.
    pub fn in_force(&self) -> &[Candidate] {
        &self.in_force
    }

    /// The set of the epoch before, in the same order; empty in the first.
    pub fn previous(&self) -> &[Candidate] {
        &self.previous
    }

    /// Those who may be in the next set, in the order of their accounts.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Who voted with this key in `epoch`: the one in force, or the one before. Older evidence comes too
    /// late; stake that answered for it may be gone.
    pub fn voter(&self, epoch: u64, node: &NodeId) -> Option<&Candidate> {
        let set = match self.epoch.checked_sub(epoch)? {
            0 => &self.in_force,
            1 => &self.previous,
            _ => return None,
        };
        let place = set.binary_search_by_key(node, |voter| voter.node).ok()?;
        set.get(place)
    }

    /// Adds a candidate, on the word of `by`, who signed.
    pub fn add(
        &mut self,
        admission: &Admission,
        by: &AccountId,
        candidate: Candidate,
        standing: &Standing,
    ) -> Result<(), RosterError> {
        let namer = match admission {
            Admission::Named(authority) => authority,
            Admission::Staked(..) => &candidate.account,
        };
        if by != namer {
            return Err(RosterError::NotAllowed(*by));
        }
        is_fit(admission, standing)?;
        self.insert(candidate)
    }

    /// Removes a candidate that does not vote and may not, if all places are taken: the one with the lowest
    /// stake. Or those who come first would keep all others out.
    pub fn make_room(&mut self, admission: &Admission, mut standing_of: impl FnMut(&AccountId) -> Standing) {
        if self.candidates.len() < CANDIDATES_MAX {
            return;
        }
        let votes = |one: &Candidate| self.in_force.iter().any(|voter| voter.account == one.account);
        let idle = self.candidates.iter().enumerate().filter(|(_, one)| !votes(one));
        let unfit = idle.filter_map(|(place, one)| {
            let standing = standing_of(&one.account);
            is_fit(admission, &standing).is_err().then_some((standing.bonded, place))
        });
        if let Some((_, place)) = unfit.min() {
            self.candidates.remove(place);
        }
    }

    /// Removes a candidate, on the word of `by`, who signed. It votes until the epoch ends.
    pub fn remove(
        &mut self,
        admission: &Admission,
        by: &AccountId,
        account: &AccountId,
    ) -> Result<Candidate, RosterError> {
        let names = matches!(admission, Admission::Named(authority) if by == authority);
        if by != account && !names {
            return Err(RosterError::NotAllowed(*by));
        }
        let place = self.place(account).map_err(|_| RosterError::Unknown(*account))?;
        if self.candidates.len() == 1 {
            return Err(RosterError::Last(*account));
        }
        Ok(self.candidates.remove(place))
    }

    /// Gives a candidate another key for checkpoints. The set in force stays as it is.
    pub fn set_checkpoint_key(&mut self, account: &AccountId, key: Address) -> Result<(), RosterError> {
        let place = self.place(account).map_err(|_| RosterError::Unknown(*account))?;
        let mut others = self.candidates.iter().chain(&self.in_force).chain(&self.previous);
        if others.any(|one| one.account != *account && one.checkpoint_key == Some(key)) {
            return Err(RosterError::Twice(*account));
        }
        self.candidates[place].checkpoint_key = Some(key);
        Ok(())
    }

    /// Removes who was proven to have voted twice, whoever is left. It votes until the epoch ends: a
    /// set can't change sooner, and one in three is what the rest can bear.
    pub fn expel(&mut self, account: &AccountId) -> Option<Candidate> {
        let place = self.place(account).ok()?;
        Some(self.candidates.remove(place))
    }

    /// Makes the set of the next epoch: in an open sky those candidates that are still fit, the
    /// highest stakes first, in a private one all; equal stakes by account. Those in force that are fit no
    /// longer stay while there would be fewer than [`VALIDATORS_SAFE`] without them, and if no candidate is
    /// left, the set stays as it is: a ledger that can't vote could never be mended.
    pub fn elect<E>(
        &mut self,
        admission: &Admission,
        mut standing_of: impl FnMut(&AccountId) -> Result<Standing, E>,
    ) -> Result<Election, E> {
        let mut fit = Vec::with_capacity(self.candidates.len());
        for candidate in &self.candidates {
            let standing = standing_of(&candidate.account)?;
            if is_fit(admission, &standing).is_ok() {
                fit.push((std::cmp::Reverse(standing.bonded), *candidate));
            }
        }
        fit.sort_by_key(|(stake, candidate)| (*stake, candidate.account));
        let mut next: Vec<Candidate> = fit.into_iter().map(|(_, one)| one).take(VALIDATORS_MAX).collect();
        let votes = |one: &&Candidate| self.in_force.iter().any(|voter| voter.account == one.account);
        let kept = VALIDATORS_SAFE.min(self.in_force.len()).saturating_sub(next.len());
        let unfit = self.candidates.iter().filter(votes).filter(|one| !next.contains(one));
        let unfit: Vec<Candidate> = unfit.take(kept).copied().collect();
        next.extend(unfit);
        self.epoch += 1;
        self.previous.clone_from(&self.in_force);
        if next.is_empty() {
            return Ok(Election::NobodyLeft);
        }
        self.in_force = by_node(next);
        Ok(if self.in_force == self.previous { Election::Same } else { Election::Changed })
    }

    fn insert(&mut self, candidate: Candidate) -> Result<(), RosterError> {
        if self.candidates.len() >= CANDIDATES_MAX {
            return Err(RosterError::Full);
        }
        let twice = RosterError::Twice(candidate.account);
        // A key that votes or voted for another account is not free while evidence against it counts, or
        // it could fall on the wrong one.
        let others = self.candidates.iter().chain(&self.in_force).chain(&self.previous);
        if others.filter(|one| one.account != candidate.account).any(|one| shares_key(one, &candidate)) {
            return Err(twice);
        }
        let place = self.place(&candidate.account).err().ok_or(twice)?;
        self.candidates.insert(place, candidate);
        Ok(())
    }

    fn place(&self, account: &AccountId) -> Result<usize, usize> {
        self.candidates.binary_search_by_key(account, |candidate| candidate.account)
    }

    /// Asserts what holds of every roster.
    pub fn check(&self) {
        assert!(!self.in_force.is_empty() && self.in_force.len() <= VALIDATORS_MAX, "someone votes");
        assert!(self.candidates.len() <= CANDIDATES_MAX, "{} candidates", self.candidates.len());
        assert!(self.in_force.is_sorted_by(|one, next| one.node < next.node), "voters in order, once");
        let in_order = |one: &Candidate, next: &Candidate| one.account < next.account;
        assert!(self.candidates.is_sorted_by(in_order), "candidates in order, each once");
    }
}

/// What an election did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Election {
    /// The same set goes on.
    Same,
    /// Another set votes from the next epoch on.
    Changed,
    /// There is no candidate, so the set stays.
    NobodyLeft,
}

fn is_fit(admission: &Admission, standing: &Standing) -> Result<(), RosterError> {
    let Admission::Staked(stake_min, score_min) = *admission else { return Ok(()) };
    if standing.bonded < stake_min {
        return Err(RosterError::Stake { bonded: standing.bonded, wanted: stake_min });
    }
    let Standing { score, may_work, .. } = *standing;
    if score < score_min || !may_work {
        return Err(RosterError::Reputation { score, may_work, wanted: score_min });
    }
    Ok(())
}

fn shares_key(one: &Candidate, other: &Candidate) -> bool {
    one.node == other.node || (one.checkpoint_key.is_some() && one.checkpoint_key == other.checkpoint_key)
}

fn by_node(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_unstable_by_key(|candidate| candidate.node);
    candidates
}
