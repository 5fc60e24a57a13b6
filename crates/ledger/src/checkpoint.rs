//! Checkpoints: what public chains will be told of this ledger, one an epoch (ADR 17).
//!
//! The block that ends an epoch sums up all withdrawals of the blocks before it, and keeps the result in
//! the state: so every node computes the same one, whatever it saw of the epochs before, and whoever has a
//! block's header has it proven. Validators sign it once that block is final; their signatures are no part
//! of the state.

use crate::{
    bridge::withdrawals_in,
    entry::Entry,
    evm::{
        Address, Checkpoint, EvmKey, Keccak,
        claims::{ClaimTree, SumNode},
        struct_hash,
    },
    key::Key,
    rejection::Rejection,
    state::State,
    validators::Candidate,
    view::View,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Keypair, NodeId};

/// Most sums of withdrawals, one for each account and address. All of them are hashed in the block that
/// ends an epoch, which has to be done well within a validator's patience.
pub const WITHDRAWALS_MAX: u32 = 1 << 17;

const KEY_CONTEXT: &str = "opensky checkpoint key 1";

/// The checkpoints of a sky so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Checkpoints {
    /// The newest one; none before the first epoch has ended.
    newest: Option<Checkpoint>,
    /// The number of the set in force: how often it changed, members or their keys.
    set_id: u64,
    /// How many sums of withdrawals there are.
    claims: u32,
}

impl Checkpoints {
    /// The newest checkpoint.
    pub const fn newest(&self) -> Option<&Checkpoint> {
        self.newest.as_ref()
    }

    /// The number of the set of validators in force.
    pub const fn set_id(&self) -> u64 {
        self.set_id
    }
}

/// Who may sign a checkpoint: a validator of its epoch, with the key that it had when that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signer {
    /// The validator.
    pub node: NodeId,
    /// Its key; one that has none can't sign.
    pub key: Option<Address>,
}

/// The newest checkpoint of a state, and who may sign it, in the order in which the engine numbers them.
/// Right while the epoch after it lasts.
pub fn newest(state: &State) -> Option<(Checkpoint, Vec<Signer>)> {
    let Some(Entry::Checkpoints(checkpoints)) = state.get(&Key::Checkpoints) else { return None };
    let Some(Entry::Roster(roster)) = state.get(&Key::Roster) else { return None };
    let newest = *checkpoints.newest()?;
    let signer = |one: &Candidate| Signer { node: one.node, key: one.checkpoint_key };
    Some((newest, roster.previous().iter().map(signer).collect()))
}

/// The key that a node signs checkpoints with. It comes from the node's own key, so that there is nothing
/// else to keep.
pub fn key_of(node: &Keypair) -> EvmKey {
    let keys = (0..).find_map(|number| EvmKey::from_secret(&node.derive(KEY_CONTEXT, number)));
    keys.expect("nearly every secret is a key")
}

/// How many signatures a contract asks for: of more than two thirds of the set.
pub const fn quorum(signers: usize) -> usize {
    signers * 2 / 3 + 1
}

/// Counts a sum of withdrawals that is new.
pub(crate) fn count_claim(view: &mut View<'_>) -> Result<(), Rejection> {
    let mut checkpoints = read(view);
    if checkpoints.claims >= WITHDRAWALS_MAX {
        return Err(Rejection::TooManyWithdrawals { count: checkpoints.claims });
    }
    checkpoints.claims += 1;
    put(view, checkpoints);
    Ok(())
}

/// In the block that ends `epoch`. The set that votes until then signs; `changed` says that another follows.
pub(crate) fn end_epoch(view: &mut View<'_>, epoch: u64, changed: bool) {
    let mut checkpoints = read(view);
    let SumNode { hash: root, sum: total } = sum_up(view, checkpoints.newest());
    let previous = checkpoints.newest().map_or_else(Keccak::default, struct_hash);
    let set_id = checkpoints.set_id;
    checkpoints.newest = Some(Checkpoint { epoch, previous, root, total, set_id });
    checkpoints.set_id += u64::from(changed);
    put(view, checkpoints);
}

/// All withdrawals. Sums only grow, so where the total is the same so are they.
fn sum_up(view: &View<'_>, before: Option<&Checkpoint>) -> SumNode {
    let total = crate::bridge::supply(view).withdrawn;
    match before {
        Some(before) if before.total == total => SumNode { hash: before.root, sum: total },
        _ => ClaimTree::new(withdrawals_in(view)).expect("in order, and counted").root(),
    }
}

fn read(view: &View<'_>) -> Checkpoints {
    match view.get(&Key::Checkpoints) {
        Some(Entry::Checkpoints(checkpoints)) => (**checkpoints).clone(),
        _ => Checkpoints::default(),
    }
}

fn put(view: &mut View<'_>, checkpoints: Checkpoints) {
    view.put(Key::Checkpoints, Entry::Checkpoints(Box::new(checkpoints)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::{AccountId, Hash, Micros};

    fn withdrawal(number: u32) -> (Key, Entry) {
        let account = AccountId::from_bytes(*Hash::of(&number.to_le_bytes()).as_bytes());
        let key = Key::Withdrawal(account, 1, Address::from_bytes([7; 20]));
        (key, Entry::Withdrawal(Micros::new(5)))
    }

    #[test]
    fn l6_there_are_only_as_many_sums_as_one_block_can_hash() {
        let full = Checkpoints { claims: WITHDRAWALS_MAX - 1, ..Checkpoints::default() };
        let entries = (0..1_000).map(withdrawal);
        let all = entries.chain([(Key::Checkpoints, Entry::Checkpoints(Box::new(full)))]);
        let state = State::new(all.collect()).expect("no money is in it");
        let mut view = View::new(&state, Vec::new());
        count_claim(&mut view).expect("the last one");
        let refused = count_claim(&mut view);
        assert_eq!(refused, Err(Rejection::TooManyWithdrawals { count: WITHDRAWALS_MAX }));
        assert_eq!(withdrawals_in(&view).len(), 1_000, "each once, in order");
    }
}
