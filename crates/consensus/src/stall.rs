//! How long no block has come.

use std::time::{Duration, SystemTime};

/// Compares the height of the newest delivered block from look to look.
pub(crate) struct Stall {
    delivered: u64,
    since: SystemTime,
    looked_at: SystemTime,
}

impl Stall {
    pub(crate) fn new(delivered: u64, now: SystemTime) -> Self {
        Self { delivered, since: now, looked_at: now }
    }

    pub(crate) fn look(&mut self, delivered: u64, now: SystemTime) {
        if self.delivered != delivered {
            (self.delivered, self.since) = (delivered, now);
        }
        self.looked_at = now;
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
}
