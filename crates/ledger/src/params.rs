//! The numbers of the rules, fixed in genesis.

use crate::{puzzle::LINK_BITS, registry::StarterGrant, reputation::DailyCaps, rules::RulesLimits};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Micros};

/// What a sky may choose. [`Params::default`] is the open sky's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Params {
    /// The account that decides who validates and which rules come, in a private sky.
    pub authority: Option<AccountId>,
    /// Whether work has a price. Where it has none, all paths are the same and all amounts zero.
    pub economy: bool,
    /// What a transfer must carry to make a new account, so that state costs something. Zero lets an
    /// account also begin with a transaction of its own.
    pub new_account_min: Micros,
    /// How far ahead `valid_until` may be: a transaction that was never included stays a threat no longer.
    pub validity_ms_max: u64,
    /// Most transactions of a block.
    pub transactions_max: u32,
    /// Most signatures of a block, with those of vouchers: an ed25519 one counts once, one of a wallet as
    /// often as it takes longer ([`crate::approval::Approval::cost`]).
    pub signatures_max: u32,
    /// Most things that fall due in one block; the rest waits for the next.
    pub due_max: u32,
    /// Longest time that an escrow may be open.
    pub escrow_ms_max: u64,
    /// Shortest time in which a consumer may object to a claim.
    pub claim_window_ms_min: u64,
    /// Longest one: money may not be held for ever.
    pub claim_window_ms_max: u64,
    /// What the first withdrawal to an address must carry, since its place in the state stays for ever.
    pub withdraw_min: Micros,
    /// What a consumer must have to begin an inference request.
    pub charge_min: Micros,
    /// Most that one inference request may cost, and so most that an overdraft may be.
    pub charge_max: Micros,
    /// How long an inference request may run before it is dropped unpaid.
    pub charge_ms_max: u64,
    /// How long stake is on its way out, and still answers for its owner.
    pub unbonding_ms: u64,
    /// Least stake of a validator, in a sky without an authority.
    pub validator_stake_min: Micros,
    /// What a validator loses that voted twice, in parts of 100,000 of its stake; all of it the second time.
    pub equivocation_parts: u32,
    /// Blocks of an epoch, at least two.
    pub epoch_blocks: u64,
    /// Zero bits of each link of the registration puzzle; none switches it off.
    pub puzzle_bits: u8,
    /// What a new machine's account begins with.
    pub grant: StarterGrant,
    /// Caps of what reputation gains in a day.
    pub daily_caps: DailyCaps,
    /// Least payment that counts as one for reputation.
    pub paid_min: Micros,
    /// How many members must testify that a node was online, or that an audit found a fault.
    pub witnesses: u8,
    /// What a switch of rules must keep to.
    pub rules: RulesLimits,
}

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

impl Default for Params {
    fn default() -> Self {
        Self {
            authority: None,
            economy: true,
            new_account_min: Micros::new(1_000),
            validity_ms_max: DAY_MS,
            transactions_max: 20_000,
            // At 52 µs each, which is an old core, these take 260 ms.
            signatures_max: 5_000,
            due_max: 2_000,
            escrow_ms_max: 90 * DAY_MS,
            claim_window_ms_min: MINUTE_MS,
            claim_window_ms_max: 7 * DAY_MS,
            withdraw_min: Micros::new(1_000),
            charge_min: Micros::new(1_000),
            charge_max: Micros::new(10_000_000),
            charge_ms_max: 60 * MINUTE_MS,
            unbonding_ms: 21 * DAY_MS,
            validator_stake_min: Micros::new(1_000_000_000),
            equivocation_parts: 20_000,
            epoch_blocks: 1_000,
            puzzle_bits: LINK_BITS,
            grant: StarterGrant::default(),
            daily_caps: DailyCaps::default(),
            paid_min: Micros::new(100),
            witnesses: 3,
            rules: RulesLimits::default(),
        }
    }
}

impl Params {
    /// Those of a sky without prices.
    pub fn free() -> Self {
        Self {
            economy: false,
            new_account_min: Micros::ZERO,
            withdraw_min: Micros::ZERO,
            charge_min: Micros::ZERO,
            charge_max: Micros::ZERO,
            grant: StarterGrant::OFF,
            paid_min: Micros::ZERO,
            ..Self::default()
        }
    }
}
