//! Transfers, and taking money out of an account.

use crate::{account::Account, apply::Context, purse::Purse, rejection::Rejection, view::View};
use opensky_types::{AccountId, Micros, Timestamp};

pub(crate) fn transfer(
    view: &mut View<'_>,
    context: &Context,
    from: AccountId,
    to: AccountId,
    amount: Micros,
) -> Result<(), Rejection> {
    if from == to {
        return Err(Rejection::WithItself);
    }
    let at_least = match view.find_account(&to) {
        Some(_) => Micros::new(1),
        None => context.params.new_account_min.max(Micros::new(1)),
    };
    if amount < at_least {
        return Err(Rejection::Dust { amount, at_least });
    }
    let account = view.account(&from)?;
    let (taken, account) = if context.now < account.grant_locked_until {
        take_free(account, amount)?
    } else {
        take(account, amount)?
    };
    view.put_account(from, account);
    view.credit(to, taken)
}

/// Takes `amount` out of what an account can spend.
pub(crate) fn take(mut account: Account, amount: Micros) -> Result<(Purse, Account), Rejection> {
    let available = account.available.total();
    let (taken, rest) =
        account.available.split(amount).ok_or(Rejection::TooLittle { available, needed: amount })?;
    account.available = rest;
    Ok((taken, account))
}

/// Takes `amount` out of what was not granted.
pub(crate) fn take_free(mut account: Account, amount: Micros) -> Result<(Purse, Account), Rejection> {
    let free = account.available.free;
    let until: Timestamp = account.grant_locked_until;
    account.available.free =
        free.checked_sub(amount).ok_or(Rejection::Granted { free, needed: amount, until })?;
    Ok((Purse::free(amount), account))
}
