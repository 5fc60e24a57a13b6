//! What a validator is told at start.

use crate::{block::BODY_BYTES_CEILING, epoch::EpochLength};
use std::time::Duration;

/// How fast blocks come, and how long a silent leader is waited for.
///
/// Idle leaders hold their turn and pass it on without a block, so an idle sky costs a few votes a
/// second and grows by nothing but the heartbeat. A transaction that arrives is proposed at once by
/// whoever holds the turn. The turn must move on while idle because the engine knows a dead leader
/// only by its silence: one timeout serves both, and it bounds what a dead validator costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// An empty block is made this long after the last block, so that block time and followers go on.
    pub heartbeat: Duration,
    /// A leader that proposes nothing for this long is skipped. A dead one costs this each turn until
    /// `silence` has passed, and nothing after.
    pub leader_timeout: Duration,
    /// A view that has not ended after this long is skipped.
    pub view_timeout: Duration,
    /// Votes to skip are sent again this often.
    pub retry: Duration,
    /// Validators unheard of for this long are skipped without waiting.
    pub silence: Duration,
    /// An agreed block without a certificate gets an empty block on top after this long.
    pub carry_after: Duration,
    /// Requests to other validators for missing blocks and certificates time out after this long.
    pub fetch_timeout: Duration,
}

impl Pacing {
    /// How long an idle leader keeps its turn: safely less than others wait for it.
    pub(crate) fn hold(&self) -> Duration {
        self.leader_timeout * 3 / 4
    }

    fn problem(&self) -> Option<&'static str> {
        let shortest =
            [self.heartbeat, self.leader_timeout, self.retry, self.carry_after, self.fetch_timeout];
        if shortest.iter().any(|duration| *duration < Duration::from_millis(1)) {
            Some("a duration is below 1 ms")
        } else if self.view_timeout <= self.leader_timeout {
            Some("view_timeout must be longer than leader_timeout")
        } else if self.silence <= self.view_timeout.max(self.retry) {
            Some("silence must be longer than view_timeout and retry")
        } else {
            None
        }
    }
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(5),
            leader_timeout: Duration::from_secs(1),
            view_timeout: Duration::from_millis(1_500),
            retry: Duration::from_secs(1),
            silence: Duration::from_secs(5),
            carry_after: Duration::from_millis(200),
            fetch_timeout: Duration::from_secs(1),
        }
    }
}

/// What every validator of a sky must agree on, and this validator's pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Heights per epoch; the same for all.
    pub epoch_length: EpochLength,
    /// Largest body; the same for all, and it may only grow.
    pub body_bytes_max: usize,
    /// Final blocks kept for validators that come back; older ones are dropped. Nodes keep the ledger.
    pub blocks_kept: u64,
    /// Timing; may differ between validators, but not by much.
    pub pacing: Pacing,
}

/// Rules that can't work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The body limit is out of bounds.
    #[error("body_bytes_max of {0} is not within 1 and {BODY_BYTES_CEILING}")]
    Body(usize),
    /// Too few blocks are kept to help a validator that comes back.
    #[error("blocks_kept of {0} is below 1000")]
    Kept(u64),
    /// Durations that contradict each other.
    #[error("pacing: {0}")]
    Pacing(&'static str),
}

impl Rules {
    /// Rules with the defaults and this epoch length.
    pub fn new(epoch_length: EpochLength) -> Self {
        Self { epoch_length, body_bytes_max: 1 << 20, blocks_kept: 100_000, pacing: Pacing::default() }
    }

    /// Whether a validator can run by these.
    pub fn check(&self) -> Result<(), RulesError> {
        if !(1..=BODY_BYTES_CEILING).contains(&self.body_bytes_max) {
            return Err(RulesError::Body(self.body_bytes_max));
        }
        if self.blocks_kept < 1_000 {
            return Err(RulesError::Kept(self.blocks_kept));
        }
        self.pacing.problem().map_or(Ok(()), |problem| Err(RulesError::Pacing(problem)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_work_and_contradictions_are_named() {
        let rules = Rules::new(EpochLength::new(100).expect("a length"));
        assert_eq!(rules.check(), Ok(()));
        let mut bad = rules.clone();
        bad.pacing.view_timeout = bad.pacing.leader_timeout;
        assert!(matches!(bad.check(), Err(RulesError::Pacing(_))));
        assert_eq!(Rules { body_bytes_max: 0, ..rules.clone() }.check(), Err(RulesError::Body(0)));
        assert_eq!(Rules { blocks_kept: 1, ..rules }.check(), Err(RulesError::Kept(1)));
    }
}
