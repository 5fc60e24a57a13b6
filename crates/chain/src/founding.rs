//! From the first facts of a sky to its first block, the same on every node.

use bytes::Bytes;
use opensky_consensus::{Block, EpochLength, LightClient, Rules, SetError, ValidatorSet};
use opensky_ledger::{
    block::Header,
    genesis::{Genesis as LedgerGenesis, GenesisError},
    params::Params,
    purse::Purse,
    registry::StarterGrant,
    state::State,
};
use opensky_types::{AccountId, Micros, codec, membership::Genesis};

/// Largest body of a block.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// Why a sky can't have a ledger.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The state it would begin with.
    #[error(transparent)]
    Ledger(#[from] GenesisError),
    /// Its validators.
    #[error(transparent)]
    Validators(#[from] SetError),
    /// An epoch needs two blocks.
    #[error("an epoch of {0} blocks")]
    Epoch(u64),
}

/// The state that a sky begins with. In a private sky its founder decides who validates, and has all
/// its money at first; there is no puzzle and no grant, and accounts cost nothing, since members are invited.
pub fn ledger_genesis(genesis: &Genesis) -> LedgerGenesis {
    let founder = AccountId::of_node(genesis.founder);
    let economy = if genesis.economy_free { Params::free() } else { Params::default() };
    let params = Params {
        authority: Some(founder),
        puzzle_bits: 0,
        grant: StarterGrant::OFF,
        epoch_blocks: genesis.epoch_blocks,
        new_account_min: Micros::ZERO,
        ..economy
    };
    let has_money = genesis.supply > Micros::ZERO;
    LedgerGenesis {
        sky: genesis.sky(),
        time: genesis.founded_at,
        params,
        balances: has_money.then(|| (founder, Purse::free(genesis.supply))).into_iter().collect(),
        treasury: Purse::default(),
        validators: genesis.validators.clone(),
    }
}

/// What both sides of the chain begin with.
pub(crate) struct Founding {
    pub ledger: LedgerGenesis,
    pub block: Block,
    pub validators: ValidatorSet,
    pub rules: Rules,
}

impl Founding {
    pub fn of(genesis: &Genesis) -> Result<(Self, State, Header), FoundingError> {
        let ledger = ledger_genesis(genesis);
        let (state, header) = ledger.build()?;
        let validators = ValidatorSet::new(ledger.validators.iter().copied())?;
        let body = Bytes::from(codec::encode(&ledger));
        let block = Block::genesis(ledger.sky, &validators, ledger.time.as_millis(), header.id(), body);
        let length = EpochLength::new(genesis.epoch_blocks);
        let length = length.ok_or(FoundingError::Epoch(genesis.epoch_blocks))?;
        let rules = Rules { body_bytes_max: BODY_BYTES_MAX, ..Rules::new(length) };
        Ok((Self { ledger, block, validators, rules }, state, header))
    }

    pub fn light(&self) -> LightClient {
        LightClient::new(&self.block, self.validators.clone(), self.rules.epoch_length)
    }
}
