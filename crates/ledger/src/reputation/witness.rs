//! Who may testify about others.
//!
//! A word about a member counts if enough others give it who have something to lose and nothing in
//! common: validators or established members, of different owners and registered machines, none of them the
//! owner or the machine of the one they speak about.

use super::{Score, Tier, of};
use crate::{
    apply::{Actor, Context},
    authority::keys_of,
    entry::Entry,
    key::Key,
    registry::machine_of,
    rejection::Rejection,
    validators,
    view::View,
};
use opensky_types::AccountId;

/// Checks that as many witnesses as are needed have signed about `subject`, and may.
pub(super) fn check(
    view: &View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    subject: &AccountId,
    witnesses: &[AccountId],
) -> Result<(), Rejection> {
    let needed = context.params.witnesses;
    let in_order = witnesses.is_sorted_by(|one, next| one < next);
    if witnesses.len() != usize::from(needed) || !in_order {
        return Err(Rejection::Witnesses { count: witnesses.len(), needed });
    }
    for (index, witness) in witnesses.iter().enumerate() {
        let account = *witness;
        if !is_fit(view, context, witness) {
            return Err(Rejection::UnfitWitness { account });
        }
        let mut others = witnesses[..index].iter().chain([subject]);
        if let Some(to) = others.find(|other| are_related(view, witness, other)) {
            return Err(Rejection::RelatedWitness { account, to: *to });
        }
        if !keys_of(view, witness, actor.signers).is_met_by(actor.signers) {
            return Err(Rejection::NotAuthorised { account });
        }
    }
    Ok(())
}

/// Whether two accounts are the same, of one owner, or of one machine.
pub(super) fn are_related(view: &View<'_>, one: &AccountId, other: &AccountId) -> bool {
    let machine = machine_of(view, one);
    owner_of(view, one) == owner_of(view, other) || (machine.is_some() && machine == machine_of(view, other))
}

fn owner_of(view: &View<'_>, account: &AccountId) -> AccountId {
    match view.get(&Key::Owner(*account)) {
        Some(Entry::Owner(owner)) => *owner,
        _ => *account,
    }
}

fn is_fit(view: &View<'_>, context: &Context, witness: &AccountId) -> bool {
    let reputation = of(view, witness);
    let is_known = reputation.tier() >= Tier::Established || validators::is_in_force(view, witness);
    // Where machines cost a puzzle, three of them cost three.
    let has_machine = context.params.puzzle_bits == 0 || machine_of(view, witness).is_some();
    is_known && has_machine && reputation.score() > Score::ZERO && reputation.may_work(context.now)
}
