//! Money that comes from public chains and goes to them.

use crate::{
    apply::{Actor, Context},
    authority::check_quorum,
    checkpoint,
    entry::{Entry, Supply},
    evm::{Address, claims},
    key::Key,
    purse::Purse,
    rejection::Rejection,
    state::State,
    transfer::take_free,
    view::View,
};
use opensky_types::{AccountId, Hash, Micros};

/// What an account withdraws to one address is one growing sum, which the next checkpoint proves.
pub(crate) fn withdraw(
    view: &mut View<'_>,
    context: &Context,
    from: AccountId,
    chain: u64,
    address: Address,
    amount: Micros,
) -> Result<(), Rejection> {
    let key = Key::Withdrawal(from, chain, address);
    let (before, at_least) = match view.get(&key) {
        Some(Entry::Withdrawal(sum)) => (*sum, Micros::new(1)),
        _ => (Micros::ZERO, context.params.withdraw_min.max(Micros::new(1))),
    };
    if amount < at_least {
        return Err(Rejection::Dust { amount, at_least });
    }
    if before == Micros::ZERO {
        checkpoint::count_claim(view)?;
    }
    let (_, account) = take_free(view.account(&from)?, amount)?;
    view.put_account(from, account);
    let sum = before.checked_add(amount).ok_or(Rejection::Overflow)?;
    view.put(key, Entry::Withdrawal(sum));
    let mut supply = supply(view);
    supply.withdrawn += u128::from(amount.get());
    view.put(Key::Supply, Entry::Supply(supply));
    Ok(())
}

/// A deposit that more than two thirds of the validators saw on its chain, credited once.
pub(crate) fn deposit(
    view: &mut View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    (chain, id): (u64, Hash),
    to: AccountId,
    amount: Micros,
) -> Result<(), Rejection> {
    if !context.params.economy {
        return Err(Rejection::NoEconomy);
    }
    check_quorum(view, actor.signers)?;
    if view.get(&Key::Deposit(chain, id)).is_some() {
        return Err(Rejection::DepositKnown { chain, id });
    }
    let at_least = context.params.new_account_min.max(Micros::new(1));
    if amount < at_least {
        return Err(Rejection::Dust { amount, at_least });
    }
    view.put(Key::Deposit(chain, id), Entry::Deposit);
    let mut supply = supply(view);
    supply.deposited += u128::from(amount.get());
    put_grown(view, supply)?;
    view.credit(to, Purse::free(amount))
}

/// Writes a supply that has grown, if it may be so much.
pub(crate) fn put_grown(view: &mut View<'_>, supply: Supply) -> Result<(), Rejection> {
    if !supply.is_within_limit() {
        return Err(Rejection::Overflow);
    }
    view.put(Key::Supply, Entry::Supply(supply));
    Ok(())
}

/// What came in and what left.
pub(crate) fn supply(view: &View<'_>) -> Supply {
    match view.get(&Key::Supply) {
        Some(Entry::Supply(supply)) => *supply,
        _ => Supply::default(),
    }
}

/// All withdrawals, in the order that [`claims::ClaimTree`] wants: what the checkpoint at the end of an
/// epoch sums up.
pub fn withdrawals(state: &State) -> Vec<claims::Claim> {
    let view = View::new(state, Vec::new());
    withdrawals_in(&view)
}

/// The same of what a block stands on.
pub(crate) fn withdrawals_in(view: &View<'_>) -> Vec<claims::Claim> {
    let [first, last] = [(0x00, 0), (0xff, u64::MAX)].map(|(byte, chain)| {
        Key::Withdrawal(AccountId::from_bytes([byte; 32]), chain, Address::from_bytes([byte; 20]))
    });
    let mut claims = Vec::new();
    let mut next = view.first_in(first, last);
    while let Some(key) = next {
        if let (Key::Withdrawal(account, chain, address), Some(Entry::Withdrawal(cumulative))) =
            (key, view.get(&key))
        {
            let account = Hash::from_bytes(*account.as_bytes());
            claims.push(claims::Claim { account, chain, address, cumulative: *cumulative });
        }
        next = view.next_in(key, true, last);
    }
    claims
}
