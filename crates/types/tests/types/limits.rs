//! What an owner shares, and what a run used.

use opensky_types::{
    Micros, Timestamp,
    limits::Hours,
    reason::{Misfit, MisfitCounts},
    resources::{Limit, Usage},
};

#[test]
fn hours_go_over_midnight() {
    let night = Hours { from_minute: 22 * 60, to_minute: 6 * 60 };
    let day = Hours { from_minute: 9 * 60, to_minute: 17 * 60 };
    let cases = [
        (night, 22 * 60, true),
        (night, 22 * 60 - 1, false),
        (night, 23 * 60 + 59, true),
        (night, 0, true),
        (night, 6 * 60 - 1, true),
        (night, 6 * 60, false),
        (night, 12 * 60, false),
        (day, 9 * 60, true),
        (day, 17 * 60 - 1, true),
        (day, 17 * 60, false),
        (day, 0, false),
    ];
    for (hours, minute, inside) in cases {
        assert_eq!(hours.contain(minute), inside, "minute {minute} in {hours:?}");
    }
}

#[test]
fn every_minute_is_in_the_hours_or_in_the_rest() {
    for (from_minute, to_minute) in [(0, 720), (720, 0), (1, 1439), (1439, 1), (600, 601)] {
        let (hours, rest) =
            (Hours { from_minute, to_minute }, Hours { from_minute: to_minute, to_minute: from_minute });
        for minute in 0..1440 {
            assert_ne!(hours.contain(minute), rest.contain(minute), "minute {minute} of {hours:?}");
        }
    }
    assert!(!(0..1440).any(|minute| Hours { from_minute: 600, to_minute: 600 }.contain(minute)));
}

#[test]
fn uses_add_up_without_overflow() {
    let full = Usage {
        fuel: u64::MAX,
        memory_peak_bytes: 5,
        wall_us: u64::MAX,
        cpu_us: u64::MAX,
        input_bytes: u64::MAX,
        output_bytes: u64::MAX,
    };
    let one = Usage { fuel: 1, memory_peak_bytes: 9, wall_us: 1, cpu_us: 1, input_bytes: 1, output_bytes: 1 };
    assert_eq!(full.plus(one), Usage { memory_peak_bytes: 9, ..full });
    assert_eq!(one.plus(Usage::default()), one);
}

#[test]
fn money_and_time_do_not_wrap() {
    assert_eq!(Micros::new(1).checked_add(Micros::new(2)), Some(Micros::new(3)));
    assert_eq!(Micros::new(u64::MAX).checked_add(Micros::new(1)), None);
    assert_eq!(Micros::new(125).to_string(), "0.000125 credits");
    assert_eq!(Micros::new(12_000_000).to_string(), "12.000000 credits");
    let end = Timestamp::from_millis(u64::MAX);
    assert_eq!(end.plus_ms(1), end);
    assert_eq!(Timestamp::from_millis(5).ms_since(end), 0);
}

#[test]
fn misfits_are_told_in_one_line() {
    let counts = MisfitCounts {
        offers: 9,
        fitting: 2,
        excluded: vec![(Misfit::Region, 4), (Misfit::TaskLimit(Limit::Memory), 3)],
    };
    assert_eq!(counts.to_string(), "2 of 9 nodes fit: 4 region, 3 task memory limit above what is allowed");
    assert_eq!(MisfitCounts::default().to_string(), "0 of 0 nodes fit");
}
