//! Money into stake, out of it, and to the treasury.

use super::Stake;
use crate::{
    apply::Context,
    entry::Entry,
    event::Event,
    key::{Due, Key},
    purse::Purse,
    rejection::Rejection,
    transfer::take_free,
    view::View,
};
use opensky_types::{AccountId, Micros, Timestamp};

/// Parts of a whole stake.
const WHOLE: u128 = 100_000;

pub(crate) fn stake(view: &mut View<'_>, account: AccountId, amount: Micros) -> Result<(), Rejection> {
    let (_, rest) = take_free(view.account(&account)?, amount)?;
    view.put_account(account, rest);
    let mut stake = of(view, &account);
    stake.bond(amount)?;
    put(view, account, stake);
    Ok(())
}

pub(crate) fn unstake(
    view: &mut View<'_>,
    context: &Context,
    account: AccountId,
    amount: Micros,
) -> Result<(), Rejection> {
    let mut stake = of(view, &account);
    let free_at = stake.unbond(amount, context.now, context.params.unbonding_ms)?;
    put(view, account, stake);
    view.put(Key::Due(free_at, Due::Unbonding(account)), Entry::Due);
    Ok(())
}

/// Gives back what is free at `now`. Slashing may have left nothing.
pub(crate) fn release(view: &mut View<'_>, account: AccountId, now: Timestamp) -> Result<(), Rejection> {
    let mut stake = of(view, &account);
    let amount = stake.release(now);
    if amount == Micros::ZERO {
        return Ok(());
    }
    put(view, account, stake);
    view.emit(Event::Unstaked { account, amount });
    view.credit(account, Purse::free(amount))
}

/// Takes `parts` of 100,000 of an account's stake to the treasury.
pub(crate) fn slash(view: &mut View<'_>, account: AccountId, parts: u32) -> Result<(), Rejection> {
    let mut stake = of(view, &account);
    let total = u128::from(stake.total().get());
    let share = (total * u128::from(parts)).div_ceil(WHOLE).min(total);
    let amount = stake.slash(Micros::new(u64::try_from(share).map_err(|_| Rejection::Overflow)?));
    if amount == Micros::ZERO {
        return Ok(());
    }
    put(view, account, stake);
    let before = match view.get(&Key::Treasury) {
        Some(Entry::Treasury(purse)) => *purse,
        _ => Purse::default(),
    };
    let treasury = before.plus(Purse::free(amount)).ok_or(Rejection::Overflow)?;
    view.put(Key::Treasury, Entry::Treasury(treasury));
    view.emit(Event::Slashed { account, amount });
    Ok(())
}

/// The stake of an account.
pub(crate) fn of(view: &View<'_>, account: &AccountId) -> Stake {
    match view.get(&Key::Stake(*account)) {
        Some(Entry::Stake(stake)) => stake.clone(),
        _ => Stake::default(),
    }
}

fn put(view: &mut View<'_>, account: AccountId, stake: Stake) {
    if stake.is_empty() {
        view.remove(Key::Stake(account));
    } else {
        view.put(Key::Stake(account), Entry::Stake(stake));
    }
}
