//! Programs in a kernel of their own: gVisor, where the owner asks for it. Engines find it under the name `runsc`.

use crate::{
    services::{Echoes, replica},
    support::{Setup, config, exited, failure, text},
    walls::{answers_through_its_door, is_a_task_like_any_other, keeps_the_wall},
};
use opensky_executor_container::{Config, ContainerExecutor};
use opensky_ports::{ServiceEngine, executor::Executor, testing::contract};
use opensky_types::{job::Isolation, task::Failure};
use std::sync::Arc;

const GVISOR: &str = "runsc";

#[tokio::test(flavor = "multi_thread")]
async fn j2_a_wall_that_is_not_there_is_not_replaced_by_a_thinner_one() {
    let Some(setup) = Setup::new("a wall that is not there").await else { return };
    assert_eq!(setup.executor.problem(), None);
    let folder = tempfile::tempdir().unwrap();
    let thin = Config { runtime: Some("no-such-runtime".into()), ..config(folder.path(), "thin") };
    let asked = ContainerExecutor::start(thin, setup.blobs.clone()).await.unwrap();
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
async fn j2_a_program_that_asks_for_gvisor_gets_it_where_others_do_not() {
    let Some(setup) = Setup::new("gVisor by wish").await else { return };
    let offered = setup.executor.engines().remove(0).containers.isolations;
    let script = "dmesg | head -n 1; cat /proc/sys/kernel/osrelease";
    let own = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let said = |result: &opensky_ports::WorkResult| text(&exited(result).stdout);
    assert!(said(&setup.run(script).await).contains(own.trim()), "by default it is the machine's own kernel");
    let mut batch = setup.script(script, &["item"]);
    batch.program.needs.isolation = Isolation::Gvisor;
    let result = setup.run_batch(batch).await.remove(0);
    if offered.is_empty() {
        let failure = failure(&result);
        assert!(matches!(failure, Failure::ProviderStopped { .. }), "never a thinner wall: {failure}");
        eprintln!("skipped: gVisor by wish: the engine has no gVisor");
        return;
    }
    assert_eq!(offered, [Isolation::Gvisor]);
    assert!(said(&result).contains("Starting gVisor") && !said(&result).contains(own.trim()));
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
    is_a_task_like_any_other(&setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_j3_gvisor_keeps_what_the_plain_wall_keeps() {
    let Some(setup) = Setup::within("what the plain wall keeps", GVISOR).await else { return };
    keeps_the_wall(&setup).await;
}

/// Its door is a socket of this machine, which gVisor lets through where its owner says so.
#[tokio::test(flavor = "multi_thread")]
async fn c10_a_service_in_gvisor_is_reached_through_its_door() {
    let Some(setup) = Setup::within("a service in gVisor", GVISOR).await else { return };
    let reached = setup.executor.services().isolations();
    let run = setup.service("echo begun; exec nc -ll -p 80 -e cat", replica(0));
    let instance = match setup.executor.services().start(run, Arc::new(Echoes { refuses: false })).await {
        Ok(instance) => instance,
        Err(failure) if failure.to_string().contains("--host-uds=open") => {
            assert_eq!(reached, [], "none is placed there that asks for it");
            eprintln!("skipped: a service in gVisor: {failure}");
            return;
        }
        Err(failure) => panic!("it does not start: {failure}"),
    };
    assert_eq!(reached, [Isolation::Gvisor]);
    answers_through_its_door(instance.as_ref()).await;
}
