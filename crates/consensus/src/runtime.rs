//! What consensus needs from the engine's runtime, the real one or the simulated one.

use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use rand_core::CryptoRng;

/// A runtime's context.
pub(crate) trait Runtime: Clock + CryptoRng + Metrics + Spawner + Storage {}

impl<T: Clock + CryptoRng + Metrics + Spawner + Storage> Runtime for T {}

/// A channel to the other validators.
pub(crate) type Pair<S, R> = (S, R);

/// The channels that validators talk over.
pub(crate) struct Channels<S, R> {
    /// Single votes.
    pub(crate) votes: Pair<S, R>,
    /// Certificates as they form.
    pub(crate) certificates: Pair<S, R>,
    /// Requests for certificates of views that were missed.
    pub(crate) resolver: Pair<S, R>,
    /// Proposed blocks.
    pub(crate) blocks: Pair<S, R>,
    /// Requests for blocks that were missed.
    pub(crate) backfill: Pair<S, R>,
}

/// Numbers of the channels, in the order of [`Channels`]; the same for all validators.
pub(crate) const CHANNELS: [u64; 5] = [0, 1, 2, 3, 4];
