//! Switching the rules of the ledger.

use super::{Rules, RulesVersion};
use crate::{
    apply::{Actor, Context},
    authority::check_quorum,
    entry::Entry,
    event::Event,
    key::Key,
    rejection::Rejection,
    view::View,
};

/// The rules at a height on top of what `view` shows.
pub(crate) fn version_at(view: &View<'_>, height: u64) -> RulesVersion {
    read(view).at(height)
}

pub(crate) fn schedule(
    view: &mut View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    version: RulesVersion,
    height: u64,
) -> Result<(), Rejection> {
    check_may_decide(view, context, actor)?;
    let mut rules = read(view);
    rules.schedule(&context.params.rules, context.height, version, height)?;
    view.put(Key::Rules, Entry::Rules(rules));
    Ok(())
}

pub(crate) fn call_off(view: &mut View<'_>, context: &Context, actor: &Actor<'_>) -> Result<(), Rejection> {
    check_may_decide(view, context, actor)?;
    let mut rules = read(view);
    rules.call_off(context.height)?;
    view.put(Key::Rules, Entry::Rules(rules));
    Ok(())
}

/// Makes the switch that this block has.
pub(crate) fn begin_block(view: &mut View<'_>, context: &Context) {
    let mut rules = read(view);
    if let Some(version) = rules.begin_block(context.height) {
        view.put(Key::Rules, Entry::Rules(rules));
        view.emit(Event::RulesSwitched { version });
    }
}

/// The authority decides in a sky that has one, more than two thirds of the validators elsewhere.
fn check_may_decide(view: &View<'_>, context: &Context, actor: &Actor<'_>) -> Result<(), Rejection> {
    match context.params.authority {
        Some(authority) if authority == actor.account => Ok(()),
        Some(_) => Err(Rejection::NotAuthority { account: actor.account }),
        None => check_quorum(view, actor.signers),
    }
}

fn read(view: &View<'_>) -> Rules {
    match view.get(&Key::Rules) {
        Some(Entry::Rules(rules)) => *rules,
        _ => Rules::new(RulesVersion::FIRST),
    }
}
