//! What holds of containers whatever runs them.

use crate::{
    services::{dial, heard},
    support::{Setup, exited, failure, text},
};
use opensky_ports::Instance;
use opensky_types::{
    resources::Limit,
    task::{Content, Failure},
};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// A program reads, writes, leaves files and ends like any other.
pub async fn is_a_task_like_any_other(setup: &Setup) {
    let script = "cat; echo \"$GREETING $1\"; echo aside >&2; echo b > /out/b; exit 3";
    let mut batch = setup.script(script, &["one"]);
    batch.items[0].input.stdin = vec![Content::Inline(b"first ".to_vec())];
    let results = setup.run_batch(batch).await;
    let output = exited(&results[0]);
    assert_eq!((output.exit_code, text(&output.stdout).as_str()), (3, "first hello one\n"));
    assert_eq!(text(&output.stderr), "aside\n");
    assert_eq!(output.files.len(), 1);
    assert!(results[0].usage.fuel > 0, "its processor time is counted");
}

/// A program reaches no network, is nobody, writes nowhere else, and ends at its limits.
pub async fn keeps_the_wall(setup: &Setup) {
    let result = setup.run("ls /sys/class/net 2>/dev/null; id -u; touch /evil || echo refused").await;
    let said = text(&exited(&result).stdout);
    assert!(said.ends_with("refused\n") && !said.contains("eth"), "{said}");
    assert!(!said.lines().any(|line| line == "0"), "it runs as root: {said}");
    let memory = setup.run("exec tail -c 90000000 /dev/zero").await;
    assert_eq!(failure(&memory), &Failure::Limit { limit: Limit::Memory });
    let time = setup.run_within("while true; do :; done", |limits| limits.wall_ms = 2_000).await;
    assert_eq!(failure(&time), &Failure::Limit { limit: Limit::Time });
    assert_eq!(text(&exited(&setup.run("echo fine").await).stdout), "fine\n", "the machine goes on");
}

/// A program that listens on port 80 and echoes is reached.
pub async fn answers_through_its_door(instance: &dyn Instance) {
    let mut stream = dial(instance).await;
    stream.write_all(b"through the door").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(heard(&mut stream).await, b"through the door");
    instance.stop(Duration::from_secs(1)).await;
}
