//! Watches votes for contradictions and hands proofs of them to the chain.

use crate::{
    evidence::{Evidence, Offence},
    link::Link,
    schemes::Schemes,
    wire::Activity,
};
use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use opensky_types::Hash;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// Evidence that may wait to be checked. More is dropped: one proof is enough to punish.
const WAITING_MAX: usize = 64;
/// Offences remembered, so that one is reported once.
const REPORTED_MAX: usize = 1_024;

/// Where the engine reports what it sees.
#[derive(Clone)]
pub(crate) struct Eyes(mpsc::Sender<Evidence>);

pub(crate) fn eyes() -> (Eyes, mpsc::Receiver<Evidence>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Eyes(sender), receiver)
}

impl Reporter for Eyes {
    type Activity = Activity;

    fn report(&mut self, activity: Activity) -> Feedback {
        let Some(evidence) = Evidence::of(activity) else { return Feedback::Ok };
        match self.0.try_send(evidence) {
            Ok(()) => Feedback::Ok,
            Err(mpsc::error::TrySendError::Full(_)) => Feedback::Backoff,
            Err(mpsc::error::TrySendError::Closed(_)) => Feedback::Closed,
        }
    }
}

/// Checks what the eyes saw, and reports each validator once per epoch and kind.
pub(crate) async fn watch(sky: Hash, schemes: Schemes, link: Link, mut seen: mpsc::Receiver<Evidence>) {
    let mut reported = BTreeSet::new();
    while let Some(evidence) = seen.recv().await {
        let epoch = evidence.epoch();
        let Some(set) = schemes.set(epoch) else { continue };
        // The engine reports votes before it checks their signatures.
        let Ok(Offence { validator, kind, view, .. }) = evidence.verify(sky, epoch, &set) else { continue };
        if !reported.insert((epoch, validator, kind)) {
            continue;
        }
        if reported.len() > REPORTED_MAX {
            reported.pop_first();
        }
        tracing::warn!(%validator, epoch, view, ?kind, "a validator contradicted itself");
        if link.offence(evidence).await.is_err() {
            return;
        }
    }
}
