//! The state that a sky begins with.

use crate::{
    account::Account,
    block::Header,
    entry::{Entry, SUPPLY_MAX, Supply},
    key::Key,
    params::Params,
    purse::Purse,
    rules::{Rules, RulesVersion},
    state::{State, StateError},
    validators::{Candidate, Roster, RosterError},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Hash, NodeId, Timestamp};
use std::collections::BTreeMap;

/// No sky lets an inference request cost more, in micros: what all accounts together owe stays far below
/// [`SUPPLY_MAX`].
const CHARGE_MAX: u64 = 1 << 40;

/// All that is fixed before the first block.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Genesis {
    /// The sky.
    pub sky: Hash,
    /// When it begins.
    pub time: Timestamp,
    /// The numbers of the rules; [`Params::free`] for a sky without prices.
    pub params: Params,
    /// What accounts have at first, in order, each once. Free money may leave for public chains, so a
    /// bridge must hold as much.
    pub balances: Vec<(AccountId, Purse)>,
    /// What the treasury has at first.
    pub treasury: Purse,
    /// Who validates at first, in order, each once.
    pub validators: Vec<NodeId>,
}

/// Why no sky can begin so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// A list is out of order or names one twice.
    #[error("the {list} are not in order, each once")]
    Order { list: &'static str },
    /// Nobody validates.
    #[error("there are no validators")]
    NoValidators,
    /// Money in a sky without prices.
    #[error("a sky without prices begins with money")]
    MoneyWithoutEconomy,
    /// More money than any ledger may hold.
    #[error("{micros} micros to begin with; {SUPPLY_MAX} at most")]
    TooMuchMoney { micros: u128 },
    /// Longest before shortest.
    #[error("the shortest {period} is longer than the longest")]
    Period { period: &'static str },
    /// A parameter that would stop the ledger.
    #[error("{parameter} is zero")]
    Zero { parameter: &'static str },
    /// A parameter with which nothing could ever be done, or something that may not be.
    #[error("{parameter} is {value}; {at_most} at most")]
    TooHigh { parameter: &'static str, value: u64, at_most: u64 },
    /// The validators are no set.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The state does not hold together.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Genesis {
    /// The first state and the header over it.
    pub fn build(&self) -> Result<(State, Header), GenesisError> {
        self.check()?;
        let mut entries: BTreeMap<Key, Entry> = self
            .balances
            .iter()
            .map(|(id, available)| {
                (Key::Account(*id), Account { available: *available, ..Account::default() })
            })
            .map(|(key, account)| (key, Entry::Account(account)))
            .collect();
        let supply = Supply { granted: self.money(), ..Supply::default() };
        entries.insert(Key::Supply, Entry::Supply(supply));
        entries.insert(Key::Treasury, Entry::Treasury(self.treasury));
        entries.insert(Key::Params, Entry::Params(Box::new(self.params)));
        entries.insert(Key::Validators, Entry::Validators(self.validators.clone()));
        let first = self.validators.iter().map(|node| Candidate {
            account: AccountId::of_node(*node),
            node: *node,
            checkpoint_key: None,
        });
        entries.insert(Key::Roster, Entry::Roster(Box::new(Roster::new(first.collect())?)));
        entries.insert(Key::Rules, Entry::Rules(Rules::new(RulesVersion::FIRST)));
        let state = State::new(entries)?;
        let zero = Hash::from_bytes([0; 32]);
        let header = Header {
            sky: self.sky,
            rules: RulesVersion::FIRST.get(),
            height: 0,
            parent: zero,
            time: self.time,
            transactions: zero,
            count: 0,
            facts: Vec::new(),
            state: state.root(),
        };
        Ok((state, header))
    }

    /// All money, in micros.
    fn money(&self) -> u128 {
        let purses = self.balances.iter().map(|(_, purse)| purse).chain([&self.treasury]);
        purses.map(|purse| u128::from(purse.free.get()) + u128::from(purse.granted.get())).sum()
    }

    fn check(&self) -> Result<(), GenesisError> {
        if !self.balances.is_sorted_by(|one, next| one.0 < next.0) {
            return Err(GenesisError::Order { list: "balances" });
        }
        if !self.validators.is_sorted_by(|one, next| one < next) {
            return Err(GenesisError::Order { list: "validators" });
        }
        if self.validators.is_empty() {
            return Err(GenesisError::NoValidators);
        }
        let params = &self.params;
        let has_money = !self.balances.is_empty() || !self.treasury.is_empty();
        if has_money && !params.economy {
            return Err(GenesisError::MoneyWithoutEconomy);
        }
        let micros = self.money();
        if micros > u128::from(SUPPLY_MAX) {
            return Err(GenesisError::TooMuchMoney { micros });
        }
        if params.claim_window_ms_min > params.claim_window_ms_max {
            return Err(GenesisError::Period { period: "claim window" });
        }
        let limits = [
            ("puzzle_bits", u64::from(params.puzzle_bits), 48),
            ("witnesses", u64::from(params.witnesses), 32),
            ("equivocation_parts", u64::from(params.equivocation_parts), 100_000),
            ("charge_max", params.charge_max.get(), CHARGE_MAX),
        ];
        if let Some((parameter, value, at_most)) = limits.into_iter().find(|(_, value, most)| value > most) {
            return Err(GenesisError::TooHigh { parameter, value, at_most });
        }
        let needed = [
            ("transactions_max", u64::from(params.transactions_max)),
            ("signatures_max", u64::from(params.signatures_max)),
            ("due_max", u64::from(params.due_max)),
            ("validity_ms_max", params.validity_ms_max),
            ("escrow_ms_max", params.escrow_ms_max),
            ("charge_ms_max", params.charge_ms_max),
            ("epoch_blocks less one", params.epoch_blocks.saturating_sub(1)),
        ];
        match needed.iter().find(|(_, value)| *value == 0) {
            Some((parameter, _)) => Err(GenesisError::Zero { parameter }),
            None => Ok(()),
        }
    }
}
