//! What providers claim, and consumers object to.

use super::{
    ClaimItem, Escrow, PayItem, PendingClaim, VoucherStatement,
    open::{drop_claim, end, give, put},
    settle::{check_count, find, settle},
};
use crate::{
    apply::Context,
    approval::Approval,
    entry::Entry,
    event::Event,
    key::{Due, Key},
    rejection::Rejection,
    view::View,
};
use opensky_types::{AccountId, AgreementId, Micros};

/// The provider claims under many agreements, all or none.
pub(crate) fn claim(
    view: &mut View<'_>,
    context: &Context,
    provider: AccountId,
    items: &[ClaimItem],
) -> Result<(), Rejection> {
    check_count(items.len())?;
    for item in items {
        let agreement = item.owed.agreement;
        let mut escrow = find(view, agreement)?;
        if escrow.provider != provider {
            return Err(Rejection::NotParty { account: provider, agreement });
        }
        escrow.accepted = true;
        let Some(voucher) = &item.voucher else {
            wait(view, context, escrow, item)?;
            continue;
        };
        check_voucher(context, &escrow, &item.owed, voucher)?;
        settle(view, &mut escrow, &item.owed)?;
        if item.is_last {
            end(view, agreement, escrow, context.now)?;
        } else {
            put(view, agreement, escrow);
        }
    }
    Ok(())
}

fn check_voucher(
    context: &Context,
    escrow: &Escrow,
    owed: &PayItem,
    voucher: &Approval,
) -> Result<(), Rejection> {
    let statement = VoucherStatement::new(context.sky, escrow, owed);
    if voucher.key() != escrow.voucher_key || voucher.verify(&statement).is_err() {
        return Err(Rejection::BadVoucher { agreement: owed.agreement });
    }
    Ok(())
}

/// Without a voucher the claim is public for a while before it is paid.
fn wait(
    view: &mut View<'_>,
    context: &Context,
    mut escrow: Escrow,
    item: &ClaimItem,
) -> Result<(), Rejection> {
    let PayItem { agreement, cumulative, receipts } = item.owed;
    if context.now >= escrow.closes_at {
        return Err(Rejection::EscrowOver { agreement, ended: escrow.closes_at });
    }
    if let Some(claim) = pending(view, agreement) {
        return Err(Rejection::ClaimWaits { agreement, until: claim.due_at });
    }
    let (last, found) = (escrow.sequence, item.sequence);
    if found <= last {
        return Err(Rejection::StaleClaim { agreement, last, found });
    }
    let paid = escrow.paid;
    if cumulative < paid || cumulative == paid && receipts == escrow.receipts {
        return Err(Rejection::NothingNew { agreement, paid, cumulative });
    }
    escrow.sequence = found;
    let due_at = context.now.plus_ms(escrow.claim_window_ms);
    let (count, is_last) = (item.count, item.is_last);
    let claim = PendingClaim { cumulative, receipts, count, sequence: found, is_last, due_at };
    put(view, agreement, escrow);
    view.put(Key::Claim(agreement), Entry::Claim(Box::new(claim)));
    view.put(Key::Due(due_at, Due::Claim(agreement)), Entry::Due);
    Ok(())
}

/// The consumer says what it owes: that is paid, what was claimed beyond goes back to it, and the
/// escrow remembers how much that was.
pub(crate) fn object(
    view: &mut View<'_>,
    context: &Context,
    consumer: AccountId,
    agreement: AgreementId,
    sequence: u64,
    owed: Micros,
) -> Result<(), Rejection> {
    let mut escrow = find(view, agreement)?;
    if escrow.consumer != consumer {
        return Err(Rejection::NotParty { account: consumer, agreement });
    }
    let claim = pending(view, agreement)
        .filter(|claim| claim.sequence == sequence)
        .ok_or(Rejection::NoClaim { agreement, sequence })?;
    if owed >= claim.cumulative {
        return Err(Rejection::NoObjection { claimed: claim.cumulative, owed });
    }
    if owed > escrow.paid {
        settle(view, &mut escrow, &PayItem { agreement, cumulative: owed, receipts: claim.receipts })?;
    }
    let disputed =
        claim.cumulative.checked_sub(owed.max(escrow.paid)).unwrap_or_default().min(escrow.held.total());
    let (back, rest) = escrow.held.split(disputed).ok_or(Rejection::Overflow)?;
    escrow.held = rest;
    escrow.objected = escrow.objected.checked_add(disputed).ok_or(Rejection::Overflow)?;
    let provider = escrow.provider;
    view.emit(Event::Objected { agreement, consumer, provider, amount: disputed });
    give(view, consumer, back)?;
    if claim.is_last {
        return end(view, agreement, escrow, context.now);
    }
    drop_claim(view, agreement);
    put(view, agreement, escrow);
    Ok(())
}

pub(super) fn pending(view: &View<'_>, agreement: AgreementId) -> Option<PendingClaim> {
    match view.get(&Key::Claim(agreement)) {
        Some(Entry::Claim(claim)) => Some(**claim),
        _ => None,
    }
}
