//! The same by Podman, where it is installed: its own service answers on a socket of the test's.

use crate::{
    secrets::finds_its_secrets,
    services::{Echoes, replica},
    support::{Setup, exited, failure, text},
    walls::{answers_through_its_door, is_a_task_like_any_other, keeps_the_wall},
};
use opensky_executor_container::{Config, ContainerExecutor};
use opensky_ports::{ServiceEngine, executor::Executor, testing::contract};
use opensky_types::{job::Isolation, task::Failure};
use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

/// How long the service takes to listen, at most.
const LISTEN_WAIT: Duration = Duration::from_secs(30);

/// Podman's service, and a node that uses it.
struct Podman {
    setup: Setup,
    socket: std::path::PathBuf,
    service: Child,
    _folder: tempfile::TempDir,
}

impl Podman {
    async fn start(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("podman.sock");
        let mut command = Command::new("podman");
        command.args(["system", "service", "--time=0"]).arg(format!("unix://{}", socket.display()));
        // Its helpers leave notes where they are started.
        command.current_dir(folder.path());
        let Ok(mut service) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            eprintln!("skipped: {test}: there is no podman");
            return None;
        };
        let listens = async {
            while !socket.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let listens = tokio::time::timeout(LISTEN_WAIT, listens).await;
        let found = match listens {
            Ok(()) => Setup::on(test, vec![socket.clone()]).await,
            Err(_) => None,
        };
        match found {
            Some(setup) => Some(Self { setup, socket, service, _folder: folder }),
            None => {
                eprintln!("skipped: {test}: podman does not run here");
                drop(service.kill());
                None
            }
        }
    }

    async fn end(mut self) {
        self.setup.executor.shut_down().await;
        drop(self.service.kill());
        drop(self.service.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_an_executor_by_podman() {
    let Some(podman) = Podman::start("the promises of an executor by podman").await else { return };
    let setup = &podman.setup;
    assert!(setup.executor.engines()[0].name.starts_with("podman "));
    let quick = setup.script("echo $1", &["a", "b", "c"]);
    let endless = setup.script("echo begun; while true; do sleep 1; done", &["a", "b"]);
    contract::executor(setup.executor.clone(), quick, endless).await;
    podman.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_j2_j3_podman_keeps_what_docker_keeps() {
    let Some(podman) = Podman::start("the walls of podman").await else { return };
    let setup = &podman.setup;
    is_a_task_like_any_other(setup).await;
    keeps_the_wall(setup).await;
    let rights = setup.run("grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp:' /proc/self/status").await;
    let rights = text(&exited(&rights).stdout);
    let of = |name: &str| rights.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(of(set), Some("0000000000000000"), "{set}");
    }
    assert_eq!((of("NoNewPrivs:"), of("Seccomp:")), (Some("1"), Some("2")));
    podman.end().await;
}

/// It takes whatever runtime it was set up with: what was asked for beside that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn j2_podman_gives_no_thinner_wall_than_was_asked_for() {
    let Some(podman) = Podman::start("gVisor by podman").await else { return };
    let setup = &podman.setup;
    let isolations = setup.executor.engines()[0].containers.isolations.clone();
    assert_eq!(isolations, [], "its default runtime on this machine is no gVisor");
    let mut batch = setup.script("true", &["item"]);
    batch.program.needs.isolation = Isolation::Gvisor;
    let result = setup.run_batch(batch).await.remove(0);
    assert!(matches!(failure(&result), Failure::ProviderStopped { .. }), "{result:?}");
    let folder = tempfile::tempdir().unwrap();
    let asked = Config {
        runtime: Some("runsc".into()),
        sockets: vec![podman.socket.clone()],
        ..crate::support::config(folder.path(), "asked")
    };
    let asked = ContainerExecutor::start(asked, setup.blobs.clone()).await.unwrap();
    assert!(asked.engines().is_empty());
    let problem = asked.problem().expect("its owner hears why");
    assert!(problem.contains("no runtime named runsc"), "{problem}");
    asked.shut_down().await;
    podman.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_k1_a_service_by_podman_has_its_door_and_its_secrets() {
    let Some(podman) = Podman::start("a service by podman").await else { return };
    let setup = &podman.setup;
    let run = setup.service("echo begun; exec nc -ll -p 80 -e cat", replica(0));
    let started = setup.executor.services().start(run, Arc::new(Echoes { refuses: false })).await;
    let instance = started.unwrap_or_else(|failure| panic!("it does not start: {failure}"));
    answers_through_its_door(instance.as_ref()).await;
    instance.stop(Duration::from_secs(1)).await;
    finds_its_secrets(setup).await;
    podman.end().await;
}
