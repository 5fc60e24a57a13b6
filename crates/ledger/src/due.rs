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
use opensky_types::{Hash, Timestamp};

/// Does what fell due until this block's time, up to the most that one block does.
pub(crate) fn begin_block(view: &mut View<'_>, context: &Context) -> Result<(), Rejection> {
    let last = Key::Due(context.now, Due::LAST);
    let mut next = view.first_in(Key::Due(Timestamp::from_millis(0), Due::FIRST), last);
    for _ in 0..context.params.due_max {
        let Some(key @ Key::Due(at, due)) = next else { break };
        view.attempt(|view| {
            let told = view.told();
            fall_due(view, due, at)?;
            reputation::count_paid(view, context, told);
            Ok(())
        })?;
        // What was done is gone, and what it made due comes later, so nobody has to look before `key`.
        next = view.next_in(key, true, last);
    }
    view.attempt(|view| {
        rules::begin_block(view, context);
        validators::end_epoch(view, context)
    })
}

fn fall_due(view: &mut View<'_>, due: Due, at: Timestamp) -> Result<(), Rejection> {
    view.remove(Key::Due(at, due));
    match due {
        Due::Claim(agreement) => escrow::due::claim(view, agreement, at),
        Due::Escrow(agreement) => escrow::due::escrow(view, agreement, at),
        Due::Charge(consumer, request) => overdraft::time_out(view, consumer, request),
        Due::Unbonding(account) => stake::release(view, account, at),
        Due::Settled(agreement) => {
            view.remove(Key::Settled(agreement));
            Ok(())
        }
    }
}

impl Due {
    /// Before all that falls due at one time.
    const FIRST: Self = Self::Claim(opensky_types::AgreementId::from_hash(Hash::from_bytes([0; 32])));
    /// After all.
    const LAST: Self = Self::Settled(opensky_types::AgreementId::from_hash(Hash::from_bytes([0xff; 32])));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entry::Entry, params::Params, state::State};
    use opensky_types::AccountId;

    /// If each thing were looked for from the beginning, this would take minutes.
    #[test]
    fn l6_what_falls_due_at_one_time_is_walked_once() {
        const COUNT: u32 = 60_000;
        let at = Timestamp::from_millis(5);
        let due = |number: u32| {
            let request = Hash::of(&number.to_le_bytes());
            (Key::Due(at, Due::Charge(AccountId::from_bytes([1; 32]), request)), Entry::Due)
        };
        let state = State::new((0..COUNT).map(due).collect()).expect("no money is in it");
        let params = Params { due_max: COUNT, epoch_blocks: 1_000, ..Params::default() };
        let context = Context { sky: Hash::of(b"sky"), height: 1, now: at, rules: 1, params };
        let mut view = View::new(&state, Vec::new());
        begin_block(&mut view, &context).expect("nothing is wrong");
        assert_eq!(view.first_in(Key::Due(at, Due::FIRST), Key::Due(at, Due::LAST)), None);
    }
}
