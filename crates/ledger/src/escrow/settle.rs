//! Paying out of an escrow.

use super::{
    Escrow, ITEMS_MAX, PayItem,
    open::{give, put},
};
use crate::{entry::Entry, event::Event, key::Key, rejection::Rejection, view::View};
use opensky_types::{AccountId, AgreementId, Micros};

/// The consumer pays under many agreements, all or none.
pub(crate) fn pay(view: &mut View<'_>, consumer: AccountId, items: &[PayItem]) -> Result<(), Rejection> {
    check_count(items.len())?;
    for item in items {
        let mut escrow = find(view, item.agreement)?;
        if escrow.consumer != consumer {
            return Err(Rejection::NotParty { account: consumer, agreement: item.agreement });
        }
        settle(view, &mut escrow, item)?;
        put(view, item.agreement, escrow);
    }
    Ok(())
}

/// Pays what is owed and not yet paid, as far as the escrow reaches. What it does not reach is paid
/// when the same is asked for again after a top-up.
pub(super) fn settle(view: &mut View<'_>, escrow: &mut Escrow, item: &PayItem) -> Result<(), Rejection> {
    let PayItem { agreement, cumulative, receipts } = *item;
    let paid = escrow.paid;
    let nothing_new = Rejection::NothingNew { agreement, paid, cumulative };
    let owed = cumulative.checked_sub(paid).ok_or(nothing_new.clone())?;
    // Where work is free, new receipts are what is new.
    if owed == Micros::ZERO && receipts == escrow.receipts {
        return Err(nothing_new);
    }
    if owed > Micros::ZERO && escrow.held.is_empty() {
        return Err(Rejection::EscrowEmpty { agreement });
    }
    let amount = owed.min(escrow.held.total());
    let (taken, rest) = escrow.held.split(amount).ok_or(Rejection::Overflow)?;
    escrow.held = rest;
    escrow.paid = paid.checked_add(amount).ok_or(Rejection::Overflow)?;
    escrow.receipts = receipts;
    let Escrow { consumer, provider, .. } = *escrow;
    view.emit(Event::Paid { agreement, consumer, provider, amount });
    give(view, escrow.provider, taken)
}

pub(crate) fn find(view: &View<'_>, agreement: AgreementId) -> Result<Escrow, Rejection> {
    match view.get(&Key::Escrow(agreement)) {
        Some(Entry::Escrow(escrow)) => Ok(**escrow),
        _ => Err(Rejection::NoEscrow { agreement }),
    }
}

pub(super) fn check_count(count: usize) -> Result<(), Rejection> {
    let limit = ITEMS_MAX;
    if (1..=limit).contains(&count) { Ok(()) } else { Err(Rejection::Items { count, limit }) }
}
