//! The life of one replica on its host.

use crate::bench::{Bench, checked, declared, place, replica, room, spec};
use opensky_services::{Capacity, HostEffect, HostInput, Taken};
use opensky_types::{
    resources::Limit,
    samples,
    service::{ReplicaState, Restart},
    task::Failure,
};

fn lost() -> Failure {
    Failure::WorkerLost { message: "killed".into() }
}

#[test]
fn c10_a_replica_is_fetched_started_and_advertised() {
    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {})), Ok(()));
    assert_eq!(bench.adverts(), [ReplicaState::Preparing]);
    let sources = bench.effects.iter().find_map(|effect| match effect {
        HostEffect::Prepare { blob, sources, .. } => Some((*blob, sources.clone())),
        _ => None,
    });
    // From whoever placed it first, then the other keepers, then the owner.
    let (blob, sources) = sources.expect("it is fetched");
    assert_eq!(blob, checked().program.blob());
    assert_eq!(sources, [4, 5, 2].map(samples::node));
    let reserved = HostEffect::Reserve(Taken {
        slots: 2,
        memory_bytes: 64 << 20,
        disk_bytes: 32 << 20,
        gpus: Vec::new(),
    });
    assert!(bench.effects.contains(&reserved));

    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
    assert_eq!((bench.launches(), bench.adverts()), (vec![1], vec![ReplicaState::Starting]));
    bench.launched(1);
    assert_eq!((bench.probes(), bench.state()), (1, ReplicaState::Starting));
    assert!(bench.host.may_dial(replica(0, 1), 80).is_err(), "nobody is sent to what may not answer yet");
    bench.probed(1, true);
    assert_eq!(bench.adverts(), [ReplicaState::Healthy]);
    assert_eq!(bench.host.may_dial(replica(0, 1), 80), Ok(()));
    assert!(
        bench.host.may_dial(replica(0, 1), 81).is_err() && bench.host.may_dial(replica(1, 1), 80).is_err()
    );

    // It is said again every ten seconds.
    let mut adverts = 0;
    for _ in 0..100 {
        bench.after(300);
        adverts += bench.adverts().len();
        if bench.probes() > 0 {
            bench.probed(1, true);
        }
    }
    assert_eq!(adverts, 2, "after 10.2 and 20.4 of 30 seconds");
}

#[test]
fn c10_restart_policies_and_exit_codes() {
    use ReplicaState::{Ended, Failed, Waiting};
    let table = [
        (Restart::Always, Ok(0), Waiting),
        (Restart::Always, Ok(1), Waiting),
        (Restart::Always, Err(lost()), Waiting),
        (Restart::OnFailure, Ok(0), Ended),
        (Restart::OnFailure, Ok(137), Waiting),
        (Restart::OnFailure, Err(Failure::Limit { limit: Limit::Memory }), Waiting),
        (Restart::Never, Ok(0), Ended),
        (Restart::Never, Ok(1), Failed),
        (Restart::Never, Err(lost()), Failed),
    ];
    for (restart, end, expected) in table {
        let mut bench = Bench::running(&spec(restart));
        assert_eq!(bench.state(), ReplicaState::Healthy, "without a check what runs is healthy");
        bench.ended(1, end.clone());
        assert_eq!(bench.state(), expected, "{restart} {end:?}");
        let report = bench.report().expect("it is here");
        assert!(!report.problem.is_empty() && report.last_words == "bye");
        assert_eq!(report.restarts, u32::from(expected == Waiting));
        assert_eq!(bench.wait_for_launch(2_000).is_some(), expected == Waiting, "{restart} {end:?}");
    }
}

#[test]
fn c10_waits_between_restarts_grow_and_are_forgiven() {
    let mut bench = Bench::running(&spec(Restart::Always));
    let mut waits = Vec::new();
    for launch in 1..=9 {
        bench.ended(launch, Ok(1));
        waits.push(bench.wait_for_launch(100_000).expect("it starts again"));
        bench.launched(launch + 1);
    }
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    // A minute of health, and the next end is as the first.
    bench.after(60_000);
    bench.ended(10, Ok(1));
    assert_eq!(bench.wait_for_launch(100_000), Some(500));
    assert_eq!(bench.report().expect("it is here").restarts, 10);
    // A little less is not enough.
    bench.launched(11);
    bench.after(59_900);
    bench.ended(11, Ok(1));
    assert_eq!(bench.wait_for_launch(100_000), Some(1_000));
}

#[test]
fn c10_what_was_wrong_is_not_told_once_it_is_right() {
    let mut bench = Bench::running(&spec(Restart::Always));
    bench.ended(1, Ok(3));
    assert!(bench.report().expect("it is here").problem.contains("exit code 3"));
    bench.wait_for_launch(1_000);
    bench.launched(2);
    assert_eq!(
        (bench.state(), bench.report().expect("it is here").problem.as_str()),
        (ReplicaState::Healthy, "")
    );
}

/// Runs a checked replica for so long; each probe is answered so.
fn probe_for(bench: &mut Bench, for_ms: u64, is_good: bool) -> Vec<(u32, u64)> {
    let until = bench.now.plus_ms(for_ms);
    let mut stops = bench.stops();
    while bench.now < until && stops.is_empty() {
        if bench.probes() > 0 {
            bench.probed(1, is_good);
        } else {
            bench.after(50);
        }
        stops.extend(bench.stops());
    }
    stops
}

#[test]
fn c10_failures_of_a_program_that_starts_do_not_count() {
    let mut bench = Bench::running(&checked());
    assert_eq!(probe_for(&mut bench, 4_900, false), []);
    assert_eq!(bench.state(), ReplicaState::Starting);
    assert!(bench.report().expect("it is here").problem.contains("no answer"));
    // Then three in a row do.
    assert_eq!(probe_for(&mut bench, 4_000, false), [(1, 5_000)]);
    assert_eq!(bench.state(), ReplicaState::Unhealthy);
}

#[test]
fn c10_failures_in_a_row_make_a_replica_unhealthy_and_it_starts_again() {
    let mut bench = Bench::running(&checked());
    bench.probed(1, true);
    for _ in 0..5 {
        // Two failures and a success: not in a row.
        for is_good in [false, false, true] {
            bench.after(1_000);
            assert_eq!(bench.probes(), 1);
            bench.probed(1, is_good);
            assert_eq!(bench.state(), ReplicaState::Healthy);
        }
    }
    for _ in 0..3 {
        bench.after(1_000);
        bench.probed(1, false);
    }
    assert_eq!((bench.state(), bench.stops()), (ReplicaState::Unhealthy, vec![(1, 5_000)]));
    assert_eq!(bench.adverts(), [ReplicaState::Unhealthy]);
    bench.after(1_000);
    assert_eq!((bench.probes(), bench.stops()), (0, vec![]), "it is stopped once, and not tried meanwhile");
    bench.stopped(1);
    assert_eq!(bench.state(), ReplicaState::Waiting);
    assert_eq!(bench.wait_for_launch(1_000), Some(500));
    bench.launched(2);
    bench.probed(2, true);
    assert_eq!((bench.state(), bench.report().expect("it is here").restarts), (ReplicaState::Healthy, 1));
}

#[test]
fn c10_one_probe_at_a_time() {
    let mut bench = Bench::running(&checked());
    for _ in 0..50 {
        bench.after(1_000);
        assert_eq!(bench.probes(), 0, "the first was not answered");
    }
    bench.probed(1, true);
    assert_eq!(bench.state(), ReplicaState::Healthy);
}

#[test]
fn c10_a_program_that_does_not_start_is_tried_three_times_more() {
    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {})), Ok(()));
    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
    let failed = |launch| HostInput::Launched { replica: replica(0, 1), launch, result: Err(lost()) };
    for launch in 1..=3 {
        assert_eq!(bench.launches(), [launch]);
        bench.tell(failed(launch));
        assert_eq!(bench.state(), ReplicaState::Waiting);
        assert!(bench.wait_for_launch(5_000).is_some());
    }
    bench.tell(failed(4));
    assert_eq!(bench.state(), ReplicaState::Failed);
    assert_eq!(bench.wait_for_launch(100_000), None);

    // What is no program is not tried again, nor what cannot be had.
    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {})), Ok(()));
    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
    let result = Err(Failure::InvalidProgram { message: "no image".into() });
    bench.tell(HostInput::Launched { replica: replica(0, 1), launch: 1, result });
    assert_eq!((bench.state(), bench.wait_for_launch(100_000)), (ReplicaState::Failed, None));

    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {})), Ok(()));
    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Err("nobody has it".into()) });
    assert_eq!((bench.state(), bench.wait_for_launch(100_000)), (ReplicaState::Failed, None));
    assert!(bench.report().expect("it is here").problem.contains("nobody has it"));
}

#[test]
fn c10_f15_late_words_of_an_earlier_launch_change_nothing() {
    let mut bench = Bench::running(&checked());
    bench.probed(1, true);
    bench.ended(1, Ok(1));
    bench.wait_for_launch(1_000);
    let before = |bench: &Bench| {
        let report = bench.report().expect("it is here");
        (report.state, report.restarts, report.problem)
    };
    let expected = before(&bench);
    let late = |bench: &mut Bench| {
        bench.launched(1);
        bench.probed(1, true);
        bench.probed(1, false);
        bench.ended(1, Ok(1));
        bench.stopped(1);
    };
    late(&mut bench);
    assert_eq!(before(&bench), expected);
    bench.launched(2);
    bench.probed(2, true);
    let expected = before(&bench);
    late(&mut bench);
    bench.launched(2);
    bench.launched(3);
    bench.stopped(2);
    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Err("late".into()) });
    assert_eq!(before(&bench), expected);
    assert_eq!(bench.state(), ReplicaState::Healthy);
}

#[test]
fn c10_f15_an_end_may_be_heard_of_before_the_start() {
    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &spec(Restart::Always)), place(&samples::keeper(), |_| {})), Ok(()));
    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
    bench.ended(1, Ok(1));
    bench.launched(1);
    assert_eq!(bench.state(), ReplicaState::Waiting, "it is over");
    assert_eq!(bench.wait_for_launch(1_000), Some(500));
}

#[test]
fn c10_f15_a_program_that_ends_while_it_is_stopped_starts_again() {
    let mut bench = Bench::running(&checked());
    bench.probed(1, true);
    for _ in 0..3 {
        bench.after(1_000);
        bench.probed(1, false);
    }
    assert_eq!(bench.stops().len(), 1);
    bench.ended(1, Ok(0));
    assert_eq!(bench.state(), ReplicaState::Waiting);
    bench.stopped(1);
    assert_eq!(bench.wait_for_launch(1_000), Some(500));
    bench.stopped(1);
    bench.launched(2);
    assert_eq!(bench.state(), ReplicaState::Starting);
}

#[test]
fn c10_who_leaves_is_told_of_first_and_waits_for_its_connections() {
    for (connections, expected_ms) in [(0, 1_000), (1, 6_000)] {
        let mut bench = Bench::running(&spec(Restart::Always));
        bench.tell(HostInput::Connections { replica: replica(0, 1), count: connections });
        assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
        assert_eq!(bench.adverts(), [ReplicaState::Leaving]);
        assert!(bench.host.may_dial(replica(0, 1), 80).is_err());
        let begin = bench.now;
        while bench.stops().is_empty() {
            assert!(bench.now.ms_since(begin) < 10_000);
            bench.after(100);
        }
        assert_eq!(bench.now.ms_since(begin), expected_ms, "one second, and stop_ms for connections");
        assert_eq!(bench.stops(), [(1, 5_000)]);
        bench.stopped(1);
        assert!(bench.effects.contains(&HostEffect::Gone {
            replica: replica(0, 1),
            is_last: true,
            is_handed_over: true
        }));
        assert!(bench.effects.contains(&HostEffect::Reserve(Taken::default())));
        assert_eq!(bench.report(), None);
    }
    // The last connection ends, and it goes.
    let mut bench = Bench::running(&spec(Restart::Always));
    bench.tell(HostInput::Connections { replica: replica(0, 1), count: 2 });
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    bench.after(3_000);
    assert_eq!(bench.stops(), []);
    bench.tell(HostInput::Connections { replica: replica(0, 1), count: 0 });
    assert_eq!(bench.stops(), [(1, 5_000)]);
}

#[test]
fn c10_a_replica_leaves_from_every_state() {
    let gone = |bench: &mut Bench| {
        bench.effects.iter().any(|effect| matches!(effect, HostEffect::Gone { is_last: true, .. }))
    };
    let keeper = samples::node(4);
    // While it is fetched, and when it cannot be had.
    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {})), Ok(()));
    assert_eq!(bench.withdraw(keeper), Ok(()));
    assert!(gone(&mut bench));
    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
    assert_eq!((bench.report(), bench.launches()), (None, vec![]));
    // While it starts: the order is answered first.
    for result in [Ok(()), Err(lost())] {
        let mut bench = Bench::new();
        assert_eq!(bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {})), Ok(()));
        bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
        assert_eq!(bench.withdraw(keeper), Ok(()));
        assert!(!gone(&mut bench));
        bench.after(5_000);
        let runs = result.is_ok();
        bench.tell(HostInput::Launched { replica: replica(0, 1), launch: 1, result });
        assert_eq!((gone(&mut bench), bench.stops().len()), (!runs, usize::from(runs)));
    }
    // While it waits, and once it has ended by itself.
    for (restart, end) in [(Restart::Always, Ok(1)), (Restart::Never, Ok(0)), (Restart::Never, Ok(1))] {
        let mut bench = Bench::running(&spec(restart));
        bench.ended(1, end);
        assert_eq!(bench.withdraw(keeper), Ok(()));
        assert!(gone(&mut bench));
    }
    // While it is stopped for its health.
    let mut bench = Bench::running(&checked());
    assert_eq!(probe_for(&mut bench, 20_000, false).len(), 1);
    assert_eq!(bench.withdraw(keeper), Ok(()));
    bench.stopped(1);
    assert!(gone(&mut bench));
    // It ends by itself while it leaves.
    let mut bench = Bench::running(&spec(Restart::Always));
    assert_eq!(bench.withdraw(keeper), Ok(()));
    bench.ended(1, Ok(0));
    assert!(gone(&mut bench));
}

#[test]
fn c10_who_leaves_stays_so() {
    let mut bench = Bench::running(&checked());
    bench.probed(1, true);
    bench.tell(HostInput::Connections { replica: replica(0, 1), count: 1 });
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    bench.probed(1, true);
    bench.probed(1, false);
    bench.tell(HostInput::Capacity(room()));
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    bench.after(500);
    assert_eq!(bench.state(), ReplicaState::Leaving);
    let renewed = place(&samples::keeper(), |placement| placement.expires_at = bench.now.plus_ms(1 << 40));
    assert!(bench.ask_report(samples::node(4), vec![renewed]).is_ok());
    assert_eq!(bench.state(), ReplicaState::Leaving);
}

#[test]
fn c10_a_closed_host_moves_what_runs_and_takes_it_back_when_it_opens() {
    let mut bench = Bench::running(&checked());
    let closed = Capacity { is_closed: true, ..room() };
    bench.tell(HostInput::Capacity(closed.clone()));
    assert_eq!(bench.state(), ReplicaState::Starting, "what does not answer yet cannot move");
    bench.probed(1, true);
    assert_eq!((bench.state(), bench.adverts()), (ReplicaState::Moving, vec![ReplicaState::Moving]));
    assert_eq!(bench.host.may_dial(replica(0, 1), 80), Ok(()), "it answers still");
    bench.tell(HostInput::Capacity(room()));
    assert_eq!((bench.state(), bench.adverts()), (ReplicaState::Healthy, vec![ReplicaState::Healthy]));
    // Health counts while it moves as well.
    bench.tell(HostInput::Capacity(closed));
    for _ in 0..3 {
        bench.after(1_000);
        bench.probed(1, false);
    }
    assert_eq!(bench.state(), ReplicaState::Unhealthy);
}

#[test]
fn c10_a_host_that_must_end_lets_everything_go() {
    let mut bench = Bench::running(&spec(Restart::Always));
    bench.tell(HostInput::Capacity(Capacity { must_end: true, is_closed: true, ..room() }));
    assert_eq!(bench.state(), ReplicaState::Leaving);
    // That it may go on again changes nothing for who leaves already.
    bench.tell(HostInput::Capacity(room()));
    bench.after(1_000);
    assert_eq!(bench.stops(), [(1, 5_000)]);
}

#[test]
fn c10_f1_a_replica_that_no_keeper_wants_any_more_ends() {
    let hour_ms = 3_600_000;
    let mut bench = Bench::running(&spec(Restart::Always));
    bench.after(hour_ms / 2);
    let renewed =
        place(&samples::keypair(5), |placement| placement.expires_at = placement.expires_at.plus_ms(hour_ms));
    assert_eq!(bench.ask_report(samples::node(5), vec![renewed]).map(|reports| reports.len()), Ok(1));
    bench.after(hour_ms);
    assert_eq!(bench.state(), ReplicaState::Healthy, "it was wanted for longer, by the other keeper");
    bench.after(hour_ms / 2 - 1);
    assert_eq!(bench.state(), ReplicaState::Healthy);
    bench.after(1);
    assert_eq!(bench.state(), ReplicaState::Leaving);
}
