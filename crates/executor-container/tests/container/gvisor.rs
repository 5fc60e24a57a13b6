//! Programs in a kernel of their own: gVisor, where the owner asks for it. Engines find it under the name `runsc`.

use crate::{
    services::{Echoes, dial, heard, replica},
    support::{Setup, exited, failure, start_on, text},
};
use opensky_ports::{ServiceEngine, executor::Executor, testing::contract};
use opensky_types::{
    resources::Limit,
    task::{Content, Failure},
};
use std::{sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;

const GVISOR: &str = "runsc";

#[tokio::test(flavor = "multi_thread")]
async fn j2_a_wall_that_is_not_there_is_not_replaced_by_a_thinner_one() {
    let Some(setup) = Setup::new("a wall that is not there").await else { return };
    assert_eq!(setup.executor.problem(), None);
    let folder = tempfile::tempdir().unwrap();
    let asked =
        start_on(Vec::new(), Some("no-such-runtime"), folder.path(), "thin", setup.blobs.clone()).await;
    assert!(asked.engines().is_empty(), "an engine without that runtime runs nothing");
    let problem = asked.problem().expect("its owner hears why");
    assert!(problem.contains("no runtime named no-such-runtime"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_programs_see_another_kernel_in_gvisor() {
    let Some(setup) = Setup::within("another kernel", GVISOR).await else { return };
    let engines = setup.executor.engines();
    assert!(engines[0].name.ends_with(" with runsc"), "offers and receipts say so: {}", engines[0].name);
    let result = setup.run("dmesg | head -n 1; cat /proc/sys/kernel/osrelease").await;
    let said = text(&exited(&result).stdout);
    let own = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert!(said.contains("Starting gVisor") && !said.contains(own.trim()), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_an_executor_in_gvisor() {
    let Some(setup) = Setup::within("the promises of an executor", GVISOR).await else { return };
    let quick = setup.script("echo $1", &["a", "b", "c"]);
    let endless = setup.script("echo begun; while true; do sleep 1; done", &["a", "b"]);
    contract::executor(setup.executor.clone(), quick, endless).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_a_program_in_gvisor_is_a_task_like_any_other() {
    let Some(setup) = Setup::within("a task like any other", GVISOR).await else { return };
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

#[tokio::test(flavor = "multi_thread")]
async fn j2_j3_gvisor_keeps_what_the_plain_wall_keeps() {
    let Some(setup) = Setup::within("what the plain wall keeps", GVISOR).await else { return };
    let result = setup.run("ls /sys/class/net 2>/dev/null; id -u; touch /evil || echo refused").await;
    let said = text(&exited(&result).stdout);
    assert!(said.ends_with("refused\n") && !said.contains("eth"), "{said}");
    assert!(!said.lines().any(|line| line == "0"), "it runs as root: {said}");
    let memory = setup.run("tail -c 90000000 /dev/zero; echo $?").await;
    assert_eq!(failure(&memory), &Failure::Limit { limit: Limit::Memory });
    let time = setup.run_within("while true; do :; done", |limits| limits.wall_ms = 2_000).await;
    assert_eq!(failure(&time), &Failure::Limit { limit: Limit::Time });
    assert_eq!(text(&exited(&setup.run("echo fine").await).stdout), "fine\n", "the machine goes on");
}

/// Its door is a socket of this machine, which gVisor lets through where its owner says so.
#[tokio::test(flavor = "multi_thread")]
async fn c10_a_service_in_gvisor_is_reached_through_its_door() {
    let Some(setup) = Setup::within("a service in gVisor", GVISOR).await else { return };
    let run = setup.service("echo begun; exec nc -ll -p 80 -e cat", replica(0));
    let instance = match setup.executor.services().start(run, Arc::new(Echoes { refuses: false })).await {
        Ok(instance) => instance,
        Err(failure) if failure.to_string().contains("--host-uds=open") => {
            eprintln!("skipped: a service in gVisor: {failure}");
            return;
        }
        Err(failure) => panic!("it does not start: {failure}"),
    };
    let mut stream = dial(instance.as_ref()).await;
    stream.write_all(b"through the door").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(heard(&mut stream).await, b"through the door");
    instance.stop(Duration::from_secs(1)).await;
}
