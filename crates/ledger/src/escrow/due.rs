//! What happens to escrows by itself.

use super::{
    PayItem,
    claims::pending,
    open::{drop_claim, end, put},
    settle::{find, settle},
};
use crate::{
    entry::Entry,
    key::{Due, Key},
    rejection::Rejection,
    view::View,
};
use opensky_types::{AgreementId, Timestamp};

/// The window has passed without an objection: the claim is paid, as far as it is not paid already and
/// the escrow reaches.
pub(crate) fn claim(view: &mut View<'_>, agreement: AgreementId, at: Timestamp) -> Result<(), Rejection> {
    let (mut escrow, Some(claim)) = (find(view, agreement)?, pending(view, agreement)) else {
        return Ok(());
    };
    let item = PayItem { agreement, cumulative: claim.cumulative, receipts: claim.receipts };
    match settle(view, &mut escrow, &item) {
        // A voucher was faster, or the escrow is used up: nothing left to pay for this claim.
        Ok(()) | Err(Rejection::NothingNew { .. } | Rejection::EscrowEmpty { .. }) => {}
        Err(rejection) => return Err(rejection),
    }
    if claim.is_last {
        return end(view, agreement, escrow, at);
    }
    drop_claim(view, agreement);
    put(view, agreement, escrow);
    Ok(())
}

/// The escrow's time is over: what is left goes back, unless a claim still waits.
pub(crate) fn escrow(view: &mut View<'_>, agreement: AgreementId, at: Timestamp) -> Result<(), Rejection> {
    let mut escrow = find(view, agreement)?;
    let Some(claim) = pending(view, agreement) else { return end(view, agreement, escrow, at) };
    view.remove(Key::Due(escrow.closes_at, Due::Escrow(agreement)));
    // At that moment the claim comes first.
    escrow.closes_at = claim.due_at;
    view.put(Key::Due(escrow.closes_at, Due::Escrow(agreement)), Entry::Due);
    put(view, agreement, escrow);
    Ok(())
}
