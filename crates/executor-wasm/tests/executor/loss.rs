//! Workers that die, and tasks that are stopped (threats F14, J1).

use crate::support::{HEALTHY, Setup, Told, exited, failure, items, wasi};
use opensky_ports::{Executor, WorkBatch};
use opensky_types::{place::Level, resources::TaskLimits, task::Failure};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Says so, then spins.
fn spinner(setup: &Setup) -> WorkBatch {
    let text = wasi(
        r#"(data (i32.const 100) "on\n")
           (func (export "_start") (call $print (i32.const 1) (i32.const 100) (i32.const 3)) (loop (br 0)))"#,
    );
    let mut batch = setup.batch(Level::Vm, text);
    batch.limits = TaskLimits { fuel: u64::MAX, wall_ms: 600_000, ..batch.limits };
    batch
}

/// The worker processes of `setup`, by the argument that its command has.
fn pids_of(setup: &Setup) -> Vec<i32> {
    let mark = setup.dir().to_string_lossy().into_owned();
    let has_mark = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|argument| argument == mark.as_bytes()))
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(has_mark).collect()
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn f14_a_killed_worker_fails_its_task_and_no_other() {
    let setup = Setup::new(2);
    let mut bad = spinner(&setup);
    bad.items = items(1);
    let mut good = setup.batch(Level::Vm, HEALTHY);
    good.items = items(50);
    let told = Told::default();
    tokio::join!(setup.executor.run(bad, &told, CancellationToken::new()), async {
        told.wrote.notified().await;
        let victims = pids_of(&setup);
        assert_eq!(victims.len(), 1);
        let told_good = setup.run(good.clone()).await;
        kill(victims[0]);
        assert_eq!(told_good.results().iter().map(exited).count(), 50);
    });
    let results = told.results();
    match failure(&results[0]) {
        Failure::WorkerLost { message } => assert!(message.contains("signal 9"), "{message}"),
        other => panic!("{other}"),
    }
    assert_eq!(setup.run(good).await.results().iter().map(exited).count(), 50);
}

#[tokio::test]
async fn the_rest_of_a_batch_goes_on_in_a_new_worker() {
    let setup = Setup::new(1);
    // Item 1 says so and spins, the others end.
    let text = wasi(
        r#"(data (i32.const 100) "on\n")
           (func (export "_start")
            (drop (call $args_sizes_get (i32.const 64) (i32.const 68)))
            (drop (call $args_get (i32.const 1024) (i32.const 2048)))
            (if (i32.eq (i32.load8_u offset=8 (i32.const 2048)) (i32.const 49))
                (then (call $print (i32.const 1) (i32.const 100) (i32.const 3)) (loop (br 0)))))"#,
    );
    let mut batch = setup.batch(Level::Vm, text);
    batch.program.args = vec!["{item}".into()];
    batch.limits = TaskLimits { fuel: u64::MAX, wall_ms: 600_000, ..batch.limits };
    batch.items = items(10);
    let told = Told::default();
    tokio::join!(setup.executor.run(batch, &told, CancellationToken::new()), async {
        told.wrote.notified().await;
        kill(pids_of(&setup)[0]);
    });
    let results = told.results();
    assert_eq!(results.iter().map(|result| result.key).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    for result in results {
        if result.key == 1 {
            assert!(matches!(failure(&result), Failure::WorkerLost { .. }));
        } else {
            exited(&result);
        }
    }
}

#[tokio::test]
async fn cancelling_stops_within_a_second_and_keeps_what_was_written() {
    let setup = Setup::new(1);
    let mut batch = spinner(&setup);
    batch.items = items(3);
    let (told, cancel) = (Told::default(), CancellationToken::new());
    let (_, cancelled_at) = tokio::join!(setup.executor.run(batch, &told, cancel.clone()), async {
        told.wrote.notified().await;
        cancel.cancel();
        Instant::now()
    });
    assert!(cancelled_at.elapsed() < Duration::from_secs(1));
    let results = told.results();
    assert_eq!(results.len(), 3);
    for result in &results {
        assert_eq!(*failure(result), Failure::Cancelled);
    }
    assert_eq!(setup.bytes(results[0].outcome.stdout()), b"on\n");
    exited(&setup.run_one(setup.batch(Level::Vm, HEALTHY)).await);
}

#[tokio::test]
async fn an_abandoned_run_leaves_no_worker_behind() {
    let setup = Setup::new(1);
    let batch = spinner(&setup);
    let told = Told::default();
    tokio::select! {
        () = setup.executor.run(batch, &told, CancellationToken::new()) => panic!("it cannot end"),
        () = told.wrote.notified() => {}
    }
    exited(&setup.run_one(setup.batch(Level::Vm, HEALTHY)).await);
    assert_eq!(pids_of(&setup).len(), 1, "only the new one lives");
}

#[tokio::test]
async fn shutting_down_ends_all_workers() {
    let setup = Setup::new(2);
    exited(&setup.run_one(setup.batch(Level::Vm, HEALTHY)).await);
    setup.executor.shut_down().await;
    assert!(pids_of(&setup).is_empty());
    assert_eq!(std::fs::read_dir(setup.dir().join("scratch")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_worker_that_cannot_start_is_said_so() {
    let setup = Setup::with_command(1, "/nonexistent/opensky".into());
    let result = setup.run_one(setup.batch(Level::Vm, HEALTHY)).await;
    match failure(&result) {
        Failure::WorkerLost { message } => assert!(message.contains("/nonexistent/opensky"), "{message}"),
        other => panic!("{other}"),
    }
    let setup = Setup::with_command(1, "/bin/true".into());
    assert!(setup.executor.sandbox_report().await.is_err());
}
