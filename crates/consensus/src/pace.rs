//! When a leader proposes, and which times a verifier accepts.

use crate::config::Pacing;
use std::time::Duration;

/// How far a block's time may be from a verifier's clock, either way (threats L2, F7).
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(2);

/// What a leader that has nothing to propose does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Propose, even an empty block.
    EvenEmpty,
    /// Wait for something to propose, at most this long, then look again.
    Wait(Duration),
    /// Let the next leader try.
    Pass,
}

/// Decides an idle leader's turn. `waited` is how long it has led, `since_parent` how old the parent
/// is, `parent_final` whether a certificate covers it.
pub(crate) fn turn(pacing: &Pacing, waited: Duration, since_parent: Duration, parent_final: bool) -> Turn {
    let heartbeat_in = pacing.heartbeat.saturating_sub(since_parent);
    // A block can be agreed on without a certificate when votes were lost or late. Its transactions
    // are final only with a block above, so one is made without waiting for the heartbeat.
    let carry_in = if parent_final { Duration::MAX } else { pacing.carry_after.saturating_sub(waited) };
    let due_in = heartbeat_in.min(carry_in);
    let pass_in = pacing.hold().saturating_sub(waited);
    if due_in.is_zero() {
        Turn::EvenEmpty
    } else if pass_in.is_zero() {
        Turn::Pass
    } else {
        Turn::Wait(due_in.min(pass_in))
    }
}

/// What a verifier does about a block's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// The time is right.
    Good,
    /// It is too far in the future by this much; it may come right.
    Early(Duration),
    /// It is not after the parent's, or too far in the past: it never comes right.
    Wrong,
}

/// Judges a block's time against its parent's and the verifier's clock, all in milliseconds.
pub(crate) fn judge_time(time_ms: u64, parent_ms: u64, now_ms: u64) -> Timing {
    let skew_ms = millis(CLOCK_SKEW_MAX);
    if time_ms <= parent_ms || time_ms < now_ms.saturating_sub(skew_ms) {
        Timing::Wrong
    } else {
        match time_ms.saturating_sub(now_ms.saturating_add(skew_ms)) {
            0 => Timing::Good,
            early_ms => Timing::Early(Duration::from_millis(early_ms)),
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l2_a_block_time_must_be_after_its_parent_and_near_the_clock() {
        let now = 1_000_000;
        assert_eq!(judge_time(now, now - 1, now), Timing::Good);
        assert_eq!(judge_time(now, now, now), Timing::Wrong, "not after the parent");
        assert_eq!(judge_time(now - 2_000, 0, now), Timing::Good);
        assert_eq!(judge_time(now - 2_001, 0, now), Timing::Wrong, "too old");
        assert_eq!(judge_time(now + 2_000, now, now), Timing::Good);
        assert_eq!(judge_time(now + 2_001, now, now), Timing::Early(Duration::from_millis(1)));
    }

    #[test]
    fn f7_extreme_clocks_do_not_overflow() {
        assert_eq!(judge_time(1, 0, 0), Timing::Good);
        assert_eq!(judge_time(u64::MAX, 0, u64::MAX), Timing::Good);
        assert!(matches!(judge_time(u64::MAX, 0, 0), Timing::Early(_)));
        assert_eq!(judge_time(0, u64::MAX, u64::MAX), Timing::Wrong);
    }

    #[test]
    fn an_idle_leader_waits_then_passes_and_beats_when_due() {
        let pacing = Pacing::default();
        let (zero, hour) = (Duration::ZERO, Duration::from_secs(3600));
        assert_eq!(turn(&pacing, zero, zero, true), Turn::Wait(pacing.hold()));
        assert_eq!(turn(&pacing, pacing.hold(), zero, true), Turn::Pass);
        assert_eq!(turn(&pacing, zero, hour, true), Turn::EvenEmpty);
        assert_eq!(turn(&pacing, zero, zero, false), Turn::Wait(pacing.carry_after));
        assert_eq!(turn(&pacing, pacing.carry_after, zero, false), Turn::EvenEmpty);
    }
}
