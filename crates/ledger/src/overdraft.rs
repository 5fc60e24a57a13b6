//! Inference requests whose cost is known only afterwards.
//!
//! A request begins while its consumer has at least a little. What the consumer has is put aside, up to the
//! request's limit, so that it can't be spent meanwhile. The request may still end below zero: the consumer
//! owes the rest to the provider, who gets it out of the consumer's next income, and until then nothing new
//! begins. One request is open at a time and each has a limit, so no account ever owes more than the most
//! that one request may cost, and nobody is paid with money that nobody had.

use crate::{
    account::Debt,
    apply::Context,
    entry::Entry,
    escrow::open::check_provider,
    event::Event,
    key::{Due, Key},
    purse::Purse,
    registry,
    rejection::Rejection,
    transfer::take,
    view::View,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Hash, Micros, Timestamp};

/// An inference request that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Charge {
    /// Who serves it.
    pub provider: AccountId,
    /// Most that it may cost; the consumer signed that.
    pub limit: Micros,
    /// What is put aside for it: as much of the limit as the consumer had.
    pub held: Purse,
    /// When it is dropped unpaid.
    pub ends_at: Timestamp,
}

pub(crate) fn begin(
    view: &mut View<'_>,
    context: &Context,
    consumer: AccountId,
    request: Hash,
    provider: AccountId,
    limit: Micros,
) -> Result<(), Rejection> {
    check_provider(view, context, &consumer, &provider)?;
    if limit > Micros::ZERO && !context.params.economy {
        return Err(Rejection::NoEconomy);
    }
    let account = view.account(&consumer)?;
    if account.debt.is_some() {
        return Err(Rejection::InDebt { debt: account.owes() });
    }
    if let Some((account, debt)) = registry::debtor_beside(view, &consumer) {
        return Err(Rejection::MachineInDebt { account, debt });
    }
    let all = [[0; 32], [0xff; 32]].map(|bytes| Key::Charge(consumer, Hash::from_bytes(bytes)));
    if let Some(Key::Charge(_, request)) = view.first_in(all[0], all[1]) {
        return Err(Rejection::ChargeOpen { request });
    }
    let (available, needed) = (account.available.total(), context.params.charge_min);
    if available < needed {
        return Err(Rejection::TooLittle { available, needed });
    }
    if limit > context.params.charge_max {
        return Err(Rejection::ChargeTooHigh { amount: limit, limit: context.params.charge_max });
    }
    let ends_at = context.now.plus_ms(context.params.charge_ms_max);
    let (held, account) = take(account, limit.min(available))?;
    view.put_account(consumer, account);
    view.put(Key::Charge(consumer, request), Entry::Charge(Charge { provider, limit, held, ends_at }));
    view.put(Key::Due(ends_at, Due::Charge(consumer, request)), Entry::Due);
    Ok(())
}

/// The provider names the cost, within the limit that the consumer signed.
pub(crate) fn complete(
    view: &mut View<'_>,
    provider: AccountId,
    consumer: AccountId,
    request: Hash,
    cost: Micros,
) -> Result<(), Rejection> {
    let charge = find(view, consumer, request)
        .filter(|charge| charge.provider == provider)
        .ok_or(Rejection::NoCharge { request })?;
    if cost > charge.limit {
        return Err(Rejection::ChargeTooHigh { amount: cost, limit: charge.limit });
    }
    forget(view, consumer, request, &charge);
    let mut account = view.account(&consumer)?;
    // What came in since the request began is no longer the consumer's either.
    let has = charge.held.plus(account.available).ok_or(Rejection::Overflow)?;
    let covered = cost.min(has.total());
    let (income, rest) = has.split(covered).ok_or(Rejection::Overflow)?;
    let missing = cost.checked_sub(covered).ok_or(Rejection::Overflow)?;
    account.available = rest;
    if missing > Micros::ZERO {
        // Who owes begins no request, so there is no other debt.
        account.debt = Some(Debt { amount: missing, creditor: provider });
    }
    view.put_account(consumer, account);
    if income.is_empty() { Ok(()) } else { view.credit(provider, income) }
}

/// A request that was never completed costs nothing.
pub(crate) fn time_out(view: &mut View<'_>, consumer: AccountId, request: Hash) -> Result<(), Rejection> {
    let Some(charge) = find(view, consumer, request) else { return Ok(()) };
    forget(view, consumer, request, &charge);
    view.emit(Event::ChargeDropped { consumer, request });
    if charge.held.is_empty() { Ok(()) } else { view.credit(consumer, charge.held) }
}

fn find(view: &View<'_>, consumer: AccountId, request: Hash) -> Option<Charge> {
    match view.get(&Key::Charge(consumer, request)) {
        Some(Entry::Charge(charge)) => Some(*charge),
        _ => None,
    }
}

fn forget(view: &mut View<'_>, consumer: AccountId, request: Hash, charge: &Charge) {
    view.remove(Key::Charge(consumer, request));
    view.remove(Key::Due(charge.ends_at, Due::Charge(consumer, request)));
}
