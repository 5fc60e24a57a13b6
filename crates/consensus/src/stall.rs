//! How long no block has come.

use std::time::{Duration, SystemTime};

/// Compares the height of the newest delivered block from look to look.
pub(crate) struct Stall {
    delivered: u64,
    since: SystemTime,
    looked_at: SystemTime,
    /// When a later epoch was first heard of since the last block, and the lowest that was named.
    later: Option<(SystemTime, u64)>,
}

impl Stall {
    pub(crate) fn new(delivered: u64, now: SystemTime) -> Self {
        Self { delivered, since: now, looked_at: now, later: None }
    }

    pub(crate) fn look(&mut self, delivered: u64, now: SystemTime) {
        if self.delivered != delivered {
            (self.delivered, self.since, self.later) = (delivered, now, None);
        }
        self.looked_at = now;
    }

    /// A message of a later epoch came.
    pub(crate) fn heard(&mut self, epoch: u64, now: SystemTime) {
        let (_, lowest) = self.later.get_or_insert((now, epoch));
        *lowest = epoch.min(*lowest);
    }

    /// A new epoch began.
    pub(crate) fn entered(&mut self) {
        self.later = None;
    }

    /// By the last look: a later epoch, if it has been heard of for this long without a block.
    pub(crate) fn is_behind(&self, long: Duration) -> Option<u64> {
        let (since, epoch) = self.later?;
        (self.looked_at.duration_since(since).unwrap_or_default() >= long).then_some(epoch)
    }

    pub(crate) fn looked_at(&self) -> SystemTime {
        self.looked_at
    }

    /// By the last look.
    pub(crate) fn lasts(&self) -> Duration {
        self.looked_at.duration_since(self.since).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_stall_lasts_since_the_newest_block() {
        let mut stall = Stall::new(3, at(0));
        stall.look(3, at(5));
        assert_eq!(stall.lasts(), Duration::from_secs(5));
        stall.look(4, at(10));
        stall.look(4, at(12));
        assert_eq!(stall.lasts(), Duration::from_secs(2));
        stall.look(4, at(1));
        assert_eq!(stall.lasts(), Duration::ZERO, "the clock went back");
    }

    #[test]
    fn f8_only_a_later_epoch_without_any_block_means_to_be_behind() {
        let minute = Duration::from_secs(60);
        let mut stall = Stall::new(3, at(0));
        stall.look(3, at(100));
        assert_eq!(stall.is_behind(minute), None, "a stall of all");
        stall.heard(9, at(101));
        stall.heard(7, at(102));
        stall.look(3, at(160));
        assert_eq!(stall.is_behind(minute), None, "not yet");
        stall.look(3, at(161));
        assert_eq!(stall.is_behind(minute), Some(7), "nobody can push the epoch up");
        stall.look(4, at(162));
        assert_eq!(stall.is_behind(minute), None, "a block came");
        stall.heard(7, at(163));
        stall.entered();
        stall.look(4, at(300));
        assert_eq!(stall.is_behind(minute), None, "it is there");
    }
}
