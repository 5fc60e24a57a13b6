//! Reputation in the ledger: what moves it.

use super::{AuditReport, Fraud, OnlineReport, Penalty, Reputation, Verdict, witness};
use crate::{
    apply::{Actor, Context},
    entry::Entry,
    escrow::{self, Escrow, Settled},
    event::Event,
    key::Key,
    rejection::Rejection,
    stake,
    view::View,
};
use opensky_types::{AccountId, AgreementId, Hash, Timestamp};

/// All parts of a stake.
const ALL: u32 = 100_000;

/// The reputation of an account.
pub(crate) fn of(view: &View<'_>, account: &AccountId) -> Reputation {
    match view.get(&Key::Reputation(*account)) {
        Some(Entry::Reputation(reputation)) => reputation.as_ref().clone(),
        _ => Reputation::default(),
    }
}

/// Checks that an account is neither frozen nor banned.
pub(crate) fn check_may_work(view: &View<'_>, now: Timestamp, account: &AccountId) -> Result<(), Rejection> {
    match view.get(&Key::Reputation(*account)) {
        Some(Entry::Reputation(reputation)) if !reputation.may_work(now) => {
            Err(Rejection::Frozen { account: *account })
        }
        _ => Ok(()),
    }
}

/// Counts the payments told of since `told` towards the providers' reputations. Who pays itself, by
/// another account of its owner or its machine, gains nothing.
pub(crate) fn count_paid(view: &mut View<'_>, context: &Context, told: usize) {
    let payments: Vec<(AccountId, AccountId)> = view
        .events_since(told)
        .iter()
        .filter_map(|event| match event {
            Event::Paid { consumer, provider, amount, .. } if *amount >= context.params.paid_min => {
                Some((*consumer, *provider))
            }
            _ => None,
        })
        .collect();
    for (consumer, provider) in payments {
        if !witness::are_related(view, &consumer, &provider) {
            change(view, provider, |reputation| {
                reputation.on_paid_tasks(&context.params.daily_caps, consumer, 1, context.now);
            });
        }
    }
}

/// Witnesses saw the account online today.
pub(crate) fn report_online(
    view: &mut View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    report: &OnlineReport,
) -> Result<(), Rejection> {
    let today = context.now.as_millis() / super::DAY_MS;
    if report.day != today {
        return Err(Rejection::OtherDay { today, found: report.day });
    }
    witness::check(view, context, actor, &actor.account, &report.witnesses)?;
    change(view, actor.account, |reputation| {
        reputation.on_day_online(context.now);
    });
    Ok(())
}

/// A consumer praises alone, since the caps of a day bound what its praise is worth; to blame it needs
/// witnesses, who found the same.
pub(crate) fn report_audit(
    view: &mut View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    report: &AuditReport,
) -> Result<(), Rejection> {
    let AuditReport { agreement, receipt, verdict, ref witnesses } = *report;
    let Settled { provider: account, consumer: by } = parties(view, agreement)?;
    if by != actor.account {
        return Err(Rejection::NotParty { account: actor.account, agreement });
    }
    if verdict == Verdict::Passed {
        if !witnesses.is_empty() {
            return Err(Rejection::Witnesses { count: witnesses.len(), needed: 0 });
        }
        if !witness::are_related(view, &by, &account) {
            change(view, account, |reputation| {
                reputation.on_audit_passed(&context.params.daily_caps, by, context.now);
            });
        }
        return Ok(());
    }
    witness::check(view, context, actor, &account, witnesses)?;
    if let Some(related) = witnesses.iter().find(|one| witness::are_related(view, one, &by)) {
        return Err(Rejection::RelatedWitness { account: *related, to: by });
    }
    mark_punished(view, account, Hash::of_value("opensky audit fault 1", &(agreement, receipt)))?;
    match verdict.fraud() {
        Some(fraud) => punish(view, context, account, fraud).map(|_| ()),
        None => {
            change(view, account, |reputation| {
                reputation.on_failed_verification(context.now);
            });
            Ok(())
        }
    }
}

/// Who took part in an agreement whose escrow is open, or was a while ago.
fn parties(view: &View<'_>, agreement: AgreementId) -> Result<Settled, Rejection> {
    if let Some(Entry::Settled(settled)) = view.get(&Key::Settled(agreement)) {
        return Ok(*settled);
    }
    let Escrow { consumer, provider, accepted, .. } = escrow::settle::find(view, agreement)?;
    if accepted { Ok(Settled { consumer, provider }) } else { Err(Rejection::NotAccepted { agreement }) }
}

/// Punishes a fraud: the score, and the stake where the penalty says so.
pub(crate) fn punish(
    view: &mut View<'_>,
    context: &Context,
    account: AccountId,
    fraud: Fraud,
) -> Result<Penalty, Rejection> {
    let penalty = change(view, account, |reputation| reputation.on_fraud(fraud, context.now));
    if penalty.confiscates {
        stake::slash(view, account, ALL)?;
    }
    Ok(penalty)
}

/// Marks a fault as punished, once.
pub(crate) fn mark_punished(view: &mut View<'_>, account: AccountId, fault: Hash) -> Result<(), Rejection> {
    let key = Key::Punished(account, fault);
    if view.get(&key).is_some() {
        return Err(Rejection::PunishedAlready { account, fault });
    }
    view.put(key, Entry::Punished);
    Ok(())
}

/// Changes a reputation, and tells of the move if there was one.
fn change<T>(view: &mut View<'_>, account: AccountId, move_it: impl FnOnce(&mut Reputation) -> T) -> T {
    let before = of(view, &account);
    let mut after = before.clone();
    let result = move_it(&mut after);
    if before == after {
        return result;
    }
    if let (Some(last), true) = (after.moves().last(), before.moves() != after.moves()) {
        let (reason, after) = (last.reason, last.after);
        view.emit(Event::ReputationMoved { account, reason, before: before.score(), after });
    }
    view.put(Key::Reputation(account), Entry::Reputation(Box::new(after)));
    result
}
