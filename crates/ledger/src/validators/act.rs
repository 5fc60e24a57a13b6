//! Validators in the ledger: joining, leaving, and paying for two votes.

use super::{Admission, Candidate, Election, Roster, RosterError, Standing};
use crate::{
    apply::{Actor, Context},
    checkpoint,
    entry::Entry,
    event::Event,
    evm::Address,
    key::Key,
    params::Params,
    rejection::Rejection,
    reputation::{self, Fraud},
    stake,
    view::View,
};
use opensky_types::{AccountId, Hash, NodeId, PublicKey};
use std::convert::Infallible;

/// The voting key signs too: it shows that it is one and that someone has it.
pub(crate) fn add(
    view: &mut View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    candidate: Candidate,
) -> Result<(), Rejection> {
    let key = PublicKey::of_node(candidate.node);
    if !actor.signers.contains(&key) {
        return Err(Rejection::VotingKeyUnsigned { key });
    }
    if let Some(checkpoint_key) = candidate.checkpoint_key {
        check_signed_by(actor, checkpoint_key)?;
    }
    let Some(mut roster) = read(view).cloned() else { return Err(Rejection::NoValidators) };
    let standing = standing_of(view, context, &candidate.account);
    let admission = admission(&context.params);
    let mut added = roster.add(&admission, &actor.account, candidate, &standing);
    if added == Err(RosterError::Full) {
        roster.make_room(&admission, |account| standing_of(view, context, account));
        added = roster.add(&admission, &actor.account, candidate, &standing);
    }
    added?;
    put(view, roster);
    Ok(())
}

pub(crate) fn remove(
    view: &mut View<'_>,
    context: &Context,
    by: AccountId,
    account: &AccountId,
) -> Result<(), Rejection> {
    let Some(mut roster) = read(view).cloned() else { return Err(Rejection::NoValidators) };
    roster.remove(&admission(&context.params), &by, account)?;
    put(view, roster);
    Ok(())
}

/// A candidate names another key for checkpoints. The set in force keeps those that it was made with, so
/// that a contract may know it by its number.
pub(crate) fn set_checkpoint_key(
    view: &mut View<'_>,
    actor: &Actor<'_>,
    key: Address,
) -> Result<(), Rejection> {
    check_signed_by(actor, key)?;
    let Some(mut roster) = read(view).cloned() else { return Err(Rejection::NoValidators) };
    roster.set_checkpoint_key(&actor.account, key)?;
    put(view, roster);
    Ok(())
}

/// Nobody names a key that is not its own, or none: contracts take the address zero for a bad signature.
fn check_signed_by(actor: &Actor<'_>, key: Address) -> Result<(), Rejection> {
    let key = PublicKey::Secp256k1(*key.as_bytes());
    if actor.signers.contains(&key) { Ok(()) } else { Err(Rejection::NewKeyUnsigned { key }) }
}

/// In the last block of an epoch, names who votes in the next: the block's state proves it.
pub(crate) fn end_epoch(view: &mut View<'_>, context: &Context) -> Result<(), Rejection> {
    let ends = context.height.checked_add(1).is_some_and(|next| next % context.params.epoch_blocks == 0);
    let (true, Some(roster)) = (ends, read(view)) else { return Ok(()) };
    let mut roster = roster.clone();
    let standing = |account: &AccountId| Ok::<_, Infallible>(standing_of(view, context, account));
    let Ok(election) = roster.elect(&admission(&context.params), standing);
    let changed = election == Election::Changed;
    if context.params.economy {
        checkpoint::end_epoch(view, roster.epoch() - 1, changed);
    }
    view.emit(Event::EpochEnds { next: roster.epoch(), changed });
    if changed {
        let nodes: Vec<NodeId> = roster.in_force().iter().map(|voter| voter.node).collect();
        view.put(Key::Validators, Entry::Validators(nodes));
    }
    put(view, roster);
    Ok(())
}

/// Punishes a validator that cast two votes where it may cast one, once an epoch. It leaves when the
/// epoch ends. The proof is checked by whoever votes on the block, not here.
pub(crate) fn punish_two_votes(
    view: &mut View<'_>,
    context: &Context,
    node: NodeId,
    epoch: u64,
) -> Result<(), Rejection> {
    let no_voter = Rejection::NoVoter { key: PublicKey::of_node(node), epoch };
    let Some(mut roster) = read(view).cloned() else { return Err(no_voter) };
    let account = roster.voter(epoch, &node).ok_or(no_voter)?.account;
    let fault = Hash::of_value("opensky two votes 1", &epoch);
    reputation::mark_punished(view, account, fault)?;
    roster.expel(&account);
    put(view, roster);
    let penalty = reputation::punish(view, context, account, Fraud::Major)?;
    if penalty.confiscates {
        return Ok(());
    }
    stake::slash(view, account, context.params.equivocation_parts)
}

/// Whether an account's key votes now.
pub(crate) fn is_in_force(view: &View<'_>, account: &AccountId) -> bool {
    read(view).is_some_and(|roster| roster.in_force().iter().any(|voter| voter.account == *account))
}

fn admission(params: &Params) -> Admission {
    match params.authority {
        Some(authority) => Admission::Named(authority),
        None => Admission::open(params.validator_stake_min),
    }
}

fn standing_of(view: &View<'_>, context: &Context, account: &AccountId) -> Standing {
    let reputation = reputation::of(view, account);
    let bonded = stake::of(view, account).bonded();
    Standing { bonded, score: reputation.score(), may_work: reputation.may_work(context.now) }
}

fn read<'a>(view: &'a View<'_>) -> Option<&'a Roster> {
    match view.get(&Key::Roster) {
        Some(Entry::Roster(roster)) => Some(roster),
        _ => None,
    }
}

fn put(view: &mut View<'_>, roster: Roster) {
    view.put(Key::Roster, Entry::Roster(Box::new(roster)));
}
