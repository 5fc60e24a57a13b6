//! What consensus needs from the engine's runtime, the real one or the simulated one.

use commonware_runtime::{Clock, Metrics, Quota, Spawner, Storage};
use commonware_utils::NZU32;
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

/// How much one validator may send to another on a channel before it is slowed down: a few thousand
/// views a second, far above what signatures allow. At start the engine makes room for a burst of
/// every validator of four sets, in several mailboxes per channel: bursts of a whole second would cost
/// a gigabyte. What it sends at once is a few votes, or requests for as many blocks as it repairs.
pub(crate) fn quota() -> Quota {
    Quota::per_second(NZU32!(4_096)).allow_burst(NZU32!(64))
}
