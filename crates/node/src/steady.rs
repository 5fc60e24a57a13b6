//! Time by which jobs wait. The wall clock may be set back by an hour; what was to happen in a minute
//! must not wait that hour too.

use opensky_ports::Clock;
use opensky_types::Timestamp;

/// The wall clock of this process's start, and what has passed since by the clock that only goes forward.
pub(crate) struct Steady {
    began: Timestamp,
    began_us: u64,
}

impl Steady {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self { began: clock.now(), began_us: clock.monotonic_us() }
    }

    /// The time now.
    pub(crate) fn now(&self, clock: &dyn Clock) -> Timestamp {
        self.began.plus_ms(clock.monotonic_us().saturating_sub(self.began_us) / 1_000)
    }
}

/// The moment `at` of a clock that shows `here`, by one that shows `there` now.
pub(crate) fn translated(at: Timestamp, here: Timestamp, there: Timestamp) -> Timestamp {
    let ahead_ms = at.as_millis() as i64 - here.as_millis() as i64;
    Timestamp::from_millis(there.as_millis().saturating_add_signed(ahead_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_ports::testing::FakeClock;
    use opensky_types::samples;

    #[test]
    fn f7_what_waits_a_minute_waits_a_minute_though_the_clock_is_set_back_an_hour() {
        let clock = FakeClock::default();
        let steady = Steady::new(&clock);
        let due = steady.now(&clock).plus_ms(60_000);
        clock.advance_ms(1_000);
        clock.set(Timestamp::from_millis(samples::NOW.as_millis() - 3_600_000));
        clock.advance_ms(59_000);
        assert_eq!(steady.now(&clock), due);
    }

    #[test]
    fn a_moment_keeps_its_distance() {
        let at = |millis| Timestamp::from_millis(millis);
        assert_eq!(translated(at(1_500), at(1_000), at(9_000)), at(9_500));
        assert_eq!(translated(at(500), at(1_000), at(9_000)), at(8_500));
        assert_eq!(translated(at(0), at(u64::MAX / 4), at(5)), at(0));
    }
}
