//! Who may act for an account: its keys, or a device that it lends some rights.

use crate::{
    account::{KeySet, Session, is_first_key},
    action::Action,
    apply::{Actor, Context},
    entry::Entry,
    key::Key,
    rejection::Rejection,
    view::View,
};
use opensky_types::{AccountId, Micros, NodeId, PublicKey, Timestamp};

/// Kinds of action that no session may do: keys, sessions, owners, machines, validators and rules are for
/// an account's own keys.
pub const OWN_KEYS_ONLY: u64 = 0b11_1110 | 1 << 18 | 0b1_1111 << 21;

/// Checks that the signers may do `action`, that nobody signed in vain, and counts what a session moves.
pub(crate) fn authorise(
    view: &mut View<'_>,
    context: &Context,
    actor: &Actor<'_>,
    action: &Action,
) -> Result<(), Rejection> {
    // Nearly all transactions: one signature, by the key that the account is named after.
    if let [key] = actor.signers
        && is_first_key(&actor.account, key)
        && view.get(&Key::Keys(actor.account)).is_none()
    {
        return Ok(());
    }
    let own = keys_of(view, &actor.account, actor.signers);
    let others = others_of(view, context, actor, action);
    if own.is_met_by(actor.signers) {
        return match actor.signers.iter().find(|key| !own.keys.contains(key) && !others.contains(key)) {
            Some(key) => Err(Rejection::UnneededSignature { key: *key }),
            None => Ok(()),
        };
    }
    let mut devices = actor.signers.iter().filter(|key| !others.contains(key));
    let (Some(device), None) = (devices.next(), devices.next()) else {
        return Err(Rejection::NotAuthorised { account: actor.account });
    };
    let mut session = session_for(view, context.now, &actor.account, *device, action.kind())
        .ok_or(Rejection::NotAuthorised { account: actor.account })?;
    let needed = moved_by(action);
    let left = session.left;
    session.left = left.checked_sub(needed).ok_or(Rejection::SessionSpent { left, needed })?;
    view.put(Key::Session(actor.account, *device), Entry::Session(session));
    Ok(())
}

/// The keys of an account. One that has other keys than its first says so in the state; the first is
/// proven by the account's name, so it must be among the signers to be known here.
pub(crate) fn keys_of(view: &View<'_>, account: &AccountId, signers: &[PublicKey]) -> KeySet {
    match view.get(&Key::Keys(*account)) {
        Some(Entry::Keys(keys)) => keys.clone(),
        _ => {
            let first = signers.iter().filter(|key| is_first_key(account, key));
            KeySet { keys: first.copied().collect(), threshold: 1 }
        }
    }
}

fn session_for(
    view: &View<'_>,
    now: Timestamp,
    account: &AccountId,
    key: PublicKey,
    kind: u8,
) -> Option<Session> {
    match view.get(&Key::Session(*account, key)) {
        Some(Entry::Session(session)) => {
            let allowed = session.scope >> kind & 1 == 1 && now < session.expires_at;
            allowed.then_some(*session)
        }
        _ => None,
    }
}

/// The keys beside the account's own whose signatures the action asks for. Its handler checks that they
/// are enough.
fn others_of(view: &View<'_>, context: &Context, actor: &Actor<'_>, action: &Action) -> Vec<PublicKey> {
    let witnesses = |accounts: &[AccountId]| {
        let few = accounts.iter().take(usize::from(context.params.witnesses));
        few.flat_map(|account| keys_of(view, account, actor.signers).keys).collect()
    };
    match action {
        Action::RotateKeys { keys } => keys.keys.clone(),
        Action::LinkOwner { owner } => keys_of(view, owner, actor.signers).keys,
        Action::ReportOnline(report) => witnesses(&report.witnesses),
        Action::AuditReport(report) => witnesses(&report.witnesses),
        Action::ValidatorAdd(candidate) => {
            let checkpoint_key = candidate.checkpoint_key.map(|key| PublicKey::Secp256k1(*key.as_bytes()));
            std::iter::once(PublicKey::of_node(candidate.node)).chain(checkpoint_key).collect()
        }
        Action::SetCheckpointKey { key } => vec![PublicKey::Secp256k1(*key.as_bytes())],
        Action::Deposit { .. } | Action::ScheduleRules { .. } | Action::CallOffRules => {
            validators(view).iter().map(|node| PublicKey::of_node(*node)).collect()
        }
        _ => Vec::new(),
    }
}

/// The validators in force.
pub(crate) fn validators<'a>(view: &'a View<'_>) -> &'a [NodeId] {
    match view.get(&Key::Validators) {
        Some(Entry::Validators(nodes)) => nodes,
        _ => &[],
    }
}

/// Checks that more than two thirds of the validators in force signed.
pub(crate) fn check_quorum(view: &View<'_>, signers: &[PublicKey]) -> Result<(), Rejection> {
    let nodes = validators(view);
    let signed = nodes.iter().filter(|node| signers.contains(&PublicKey::of_node(**node))).count();
    if signed * 3 <= nodes.len() * 2 {
        return Err(Rejection::NoQuorum { signed, validators: nodes.len() });
    }
    Ok(())
}

/// What an action takes from its account's money. Paying out of an escrow moves what was counted when
/// it was opened.
fn moved_by(action: &Action) -> Micros {
    match action {
        Action::Transfer { amount, .. } | Action::TopUp { amount, .. } | Action::Withdraw { amount, .. } => {
            *amount
        }
        Action::Stake { amount } => *amount,
        Action::OpenEscrow(opening) => opening.amount,
        Action::BeginCharge { limit, .. } => *limit,
        _ => Micros::ZERO,
    }
}
