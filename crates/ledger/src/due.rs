//! What happens by itself at the start of a block: bounded work, oldest first.

use crate::{
    apply::Context,
    escrow,
    key::{Due, Key},
    overdraft,
    rejection::Rejection,
    reputation, rules, stake, validators,
    view::View,
};
use opensky_types::{AccountId, Hash, Timestamp};

/// Does what fell due until this block's time, up to the most that one block does.
pub(crate) fn begin_block(view: &mut View<'_>, context: &Context) -> Result<(), Rejection> {
    let first = Key::Due(Timestamp::from_millis(0), Due::FIRST);
    let last = Key::Due(context.now, Due::LAST);
    for _ in 0..context.params.due_max {
        let Some(Key::Due(at, due)) = view.first_in(first, last) else { break };
        view.attempt(|view| {
            let told = view.told();
            fall_due(view, due, at)?;
            reputation::count_paid(view, context, told);
            Ok(())
        })?;
    }
    view.attempt(|view| {
        rules::begin_block(view, context);
        validators::end_epoch(view, context)
    })
}

fn fall_due(view: &mut View<'_>, due: Due, at: Timestamp) -> Result<(), Rejection> {
    view.remove(Key::Due(at, due));
    match due {
        Due::Claim(agreement) => escrow::due::claim(view, agreement),
        Due::Escrow(agreement) => escrow::due::escrow(view, agreement),
        Due::Charge(consumer, request) => {
            overdraft::time_out(view, consumer, request);
            Ok(())
        }
        Due::Unbonding(account) => stake::release(view, account, at),
    }
}

impl Due {
    /// Before all that falls due at one time.
    const FIRST: Self = Self::Claim(opensky_types::AgreementId::from_hash(Hash::from_bytes([0; 32])));
    /// After all.
    const LAST: Self = Self::Charge(AccountId::from_bytes([0xff; 32]), Hash::from_bytes([0xff; 32]));
}
