//! Opening an escrow, putting more into it, closing it.

use super::{Escrow, Opening, REPORT_MS, Settled, id_of, settle::find};
use crate::{
    apply::{Actor, Context},
    entry::Entry,
    event::Event,
    key::{Due, Key},
    purse::Purse,
    rejection::Rejection,
    reputation::check_may_work,
    transfer::take,
    view::View,
};
use opensky_types::{AccountId, AgreementId, Hash, Micros, Timestamp};

pub(crate) fn open(
    view: &mut View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    opening: &Opening,
) -> Result<(), Rejection> {
    let Opening { terms, provider, voucher_key, amount, expires_at, claim_window_ms } = *opening;
    let consumer = actor.account;
    check_provider(view, context, &consumer, &provider)?;
    let params = &context.params;
    check_least(amount, params.new_account_min)?;
    check_period(expires_at.ms_since(context.now), 1, params.escrow_ms_max)?;
    check_period(claim_window_ms, params.claim_window_ms_min, params.claim_window_ms_max)?;
    let (held, account) = take(view.account(&consumer)?, amount)?;
    view.put_account(consumer, account);
    let escrow = Escrow {
        consumer,
        provider,
        voucher_key,
        accepted: false,
        held,
        paid: Micros::ZERO,
        objected: Micros::ZERO,
        receipts: Hash::from_bytes([0; 32]),
        sequence: 0,
        claim_window_ms,
        // Work that ends at the last moment can still be claimed.
        closes_at: expires_at.plus_ms(claim_window_ms),
    };
    let agreement = id_of(&terms, &consumer, actor.nonce);
    view.put(Key::Due(escrow.closes_at, Due::Escrow(agreement)), Entry::Due);
    put(view, agreement, escrow);
    Ok(())
}

pub(crate) fn top_up(
    view: &mut View<'_>,
    context: &Context,
    consumer: AccountId,
    agreement: AgreementId,
    amount: Micros,
) -> Result<(), Rejection> {
    let mut escrow = find(view, agreement)?;
    if escrow.consumer != consumer {
        return Err(Rejection::NotParty { account: consumer, agreement });
    }
    if context.now >= escrow.closes_at {
        return Err(Rejection::EscrowOver { agreement, ended: escrow.closes_at });
    }
    check_least(amount, Micros::new(1))?;
    let (more, account) = take(view.account(&consumer)?, amount)?;
    view.put_account(consumer, account);
    escrow.held = escrow.held.plus(more).ok_or(Rejection::Overflow)?;
    put(view, agreement, escrow);
    Ok(())
}

/// Only the provider gives up what is left; the consumer gets it back when the time is over.
pub(crate) fn close(
    view: &mut View<'_>,
    context: &Context,
    provider: AccountId,
    agreement: AgreementId,
) -> Result<(), Rejection> {
    let mut escrow = find(view, agreement)?;
    if escrow.provider != provider {
        return Err(Rejection::NotParty { account: provider, agreement });
    }
    escrow.accepted = true;
    end(view, agreement, escrow, context.now)
}

/// Checks that `provider` may work for `consumer`, and has an account: what pays it can be less than an
/// account must begin with.
pub(crate) fn check_provider(
    view: &View<'_>,
    context: &Context,
    consumer: &AccountId,
    provider: &AccountId,
) -> Result<(), Rejection> {
    if provider == consumer {
        return Err(Rejection::WithItself);
    }
    if context.params.new_account_min > Micros::ZERO {
        view.account(provider)?;
    }
    check_may_work(view, context.now, provider)
}

/// Gives back what is left, and forgets the escrow and any claim that waits. Who took part in it is known
/// for a while, so that what an audit finds can still be reported.
pub(super) fn end(
    view: &mut View<'_>,
    agreement: AgreementId,
    escrow: Escrow,
    now: Timestamp,
) -> Result<(), Rejection> {
    drop_claim(view, agreement);
    if escrow.accepted {
        let Escrow { consumer, provider, .. } = escrow;
        view.put(Key::Settled(agreement), Entry::Settled(Settled { consumer, provider }));
        view.put(Key::Due(now.plus_ms(REPORT_MS), Due::Settled(agreement)), Entry::Due);
    }
    view.remove(Key::Due(escrow.closes_at, Due::Escrow(agreement)));
    view.remove(Key::Escrow(agreement));
    view.emit(Event::Closed { agreement, consumer: escrow.consumer, refunded: escrow.held.total() });
    give(view, escrow.consumer, escrow.held)
}

pub(super) fn drop_claim(view: &mut View<'_>, agreement: AgreementId) {
    if let Some(Entry::Claim(claim)) = view.get(&Key::Claim(agreement)) {
        let due_at = claim.due_at;
        view.remove(Key::Due(due_at, Due::Claim(agreement)));
        view.remove(Key::Claim(agreement));
    }
}

/// Pays into an account; nothing makes no account.
pub(super) fn give(view: &mut View<'_>, to: AccountId, purse: Purse) -> Result<(), Rejection> {
    if purse.is_empty() { Ok(()) } else { view.credit(to, purse) }
}

pub(super) fn put(view: &mut View<'_>, agreement: AgreementId, escrow: Escrow) {
    view.put(Key::Escrow(agreement), Entry::Escrow(Box::new(escrow)));
}

fn check_least(amount: Micros, at_least: Micros) -> Result<(), Rejection> {
    if amount < at_least { Err(Rejection::Dust { amount, at_least }) } else { Ok(()) }
}

fn check_period(ms: u64, at_least_ms: u64, at_most_ms: u64) -> Result<(), Rejection> {
    if (at_least_ms..=at_most_ms).contains(&ms) {
        return Ok(());
    }
    Err(Rejection::Period { ms, at_least_ms, at_most_ms })
}
