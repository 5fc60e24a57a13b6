//! The validator sets of the epochs in use, as the engine asks for them.

use crate::{certificate::verifier, validators::ValidatorSet, wire::Scheme};
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{Provider, Scoped};
use opensky_types::Hash;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Sets kept: the current epoch's, and past ones for certificates that validators behind ask for.
const EPOCHS_KEPT: usize = 64;

type Sets = BTreeMap<u64, (ValidatorSet, Arc<Scheme>)>;

/// Known validator sets by epoch; clones share them.
#[derive(Clone)]
pub(crate) struct Schemes {
    sky: Hash,
    sets: Arc<Mutex<Sets>>,
}

impl Schemes {
    pub(crate) fn new(sky: Hash) -> Self {
        Self { sky, sets: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        // Nothing panics while it holds the lock, and a map is never half written.
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns the set of an epoch.
    pub(crate) fn insert(&self, epoch: u64, set: ValidatorSet) {
        let scheme = Arc::new(verifier(self.sky, &set));
        let mut sets = self.lock();
        sets.insert(epoch, (set, scheme));
        while sets.len() > EPOCHS_KEPT {
            sets.pop_first();
        }
    }

    /// The set of an epoch, once it is known.
    pub(crate) fn set(&self, epoch: u64) -> Option<ValidatorSet> {
        self.lock().get(&epoch).map(|(set, _)| set.clone())
    }
}

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        // As a whole scheme, though it signs nothing: with a mere verifier the engine throws away every
        // agreed block that it fetched from others.
        self.lock().get(&epoch.get()).map(|(_, scheme)| Scoped::scheme(scheme.clone()))
    }
}
