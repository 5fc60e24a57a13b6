//! Keys of accounts, devices that act for them, and owners of nodes.

use crate::{
    account::{KeySet, Session},
    apply::{Actor, Context},
    authority::{OWN_KEYS_ONLY, keys_of},
    entry::Entry,
    key::Key,
    rejection::Rejection,
    view::View,
};
use opensky_types::{AccountId, PublicKey};

/// Most sessions of an account.
pub const SESSIONS_MAX: usize = 16;

/// The account's old keys have agreed; each new one must have signed, so that nobody locks itself out by
/// a key that is mistyped or not at hand.
pub(crate) fn rotate(view: &mut View<'_>, actor: &Actor<'_>, keys: &KeySet) -> Result<(), Rejection> {
    if !keys.is_sound() {
        return Err(Rejection::UnsoundKeys);
    }
    if let Some(key) = keys.keys.iter().find(|key| !actor.signers.contains(key)) {
        return Err(Rejection::NewKeyUnsigned { key: *key });
    }
    // Devices were trusted by the old keys, which may be lost to a thief.
    while let Some(session) = next_session(view, &actor.account, None) {
        view.remove(Key::Session(actor.account, session));
    }
    view.put(Key::Keys(actor.account), Entry::Keys(keys.clone()));
    Ok(())
}

pub(crate) fn delegate(
    view: &mut View<'_>,
    context: &Context,
    account: AccountId,
    key: PublicKey,
    session: Session,
) -> Result<(), Rejection> {
    let scope = session.scope & OWN_KEYS_ONLY;
    if scope != 0 {
        return Err(Rejection::Scope { scope });
    }
    if session.expires_at <= context.now {
        return Err(Rejection::Expired { valid_until: session.expires_at, now: context.now });
    }
    let is_new = view.get(&Key::Session(account, key)).is_none();
    let count = count_sessions(view, &account);
    if is_new && count >= SESSIONS_MAX {
        return Err(Rejection::TooManySessions { count });
    }
    view.put(Key::Session(account, key), Entry::Session(session));
    Ok(())
}

pub(crate) fn revoke(view: &mut View<'_>, account: AccountId, key: PublicKey) -> Result<(), Rejection> {
    if view.get(&Key::Session(account, key)).is_none() {
        return Err(Rejection::NoSession { key });
    }
    view.remove(Key::Session(account, key));
    Ok(())
}

/// Both agreed: this account's keys and the owner's.
pub(crate) fn link_owner(view: &mut View<'_>, actor: &Actor<'_>, owner: AccountId) -> Result<(), Rejection> {
    if owner == actor.account {
        return Err(Rejection::WithItself);
    }
    if !keys_of(view, &owner, actor.signers).is_met_by(actor.signers) {
        return Err(Rejection::NotAuthorised { account: owner });
    }
    view.put(Key::Owner(actor.account), Entry::Owner(owner));
    Ok(())
}

pub(crate) fn unlink_owner(view: &mut View<'_>, account: AccountId) -> Result<(), Rejection> {
    if view.get(&Key::Owner(account)).is_none() {
        return Err(Rejection::NoOwner);
    }
    view.remove(Key::Owner(account));
    Ok(())
}

fn count_sessions(view: &View<'_>, account: &AccountId) -> usize {
    let mut after = None;
    std::iter::from_fn(|| {
        after = next_session(view, account, after);
        after
    })
    .take(SESSIONS_MAX)
    .count()
}

/// The session after `after`, in the order of keys.
fn next_session(view: &View<'_>, account: &AccountId, after: Option<PublicKey>) -> Option<PublicKey> {
    let from = after.map_or(PublicKey::Ed25519([0; 32]), |key| key);
    let last = Key::Session(*account, PublicKey::Sr25519([0xff; 32]));
    match view.next_in(Key::Session(*account, from), after.is_some(), last) {
        Some(Key::Session(_, key)) => Some(key),
        _ => None,
    }
}
