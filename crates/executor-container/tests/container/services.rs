//! What services in containers can do, and how they are reached.

use crate::support::Setup;
use async_trait::async_trait;
use opensky_ports::{
    ByteStream, Instance, InstanceEnd, Outlet, ServiceEngine, ServiceRun,
    testing::contract::{self, Does},
};
use opensky_types::{
    NodeId, ServiceId,
    job::Program,
    place::Level,
    service::{ReplicaId, ReplicaLimits},
};
use std::{io, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longest wait for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Each connection to an outlet answers with what it hears, or is refused.
pub struct Echoes {
    pub refuses: bool,
}

#[async_trait]
impl Outlet for Echoes {
    async fn connect(&self, index: usize) -> io::Result<ByteStream> {
        if self.refuses {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, mut far) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            far.write_all(format!("outlet {index}\n").as_bytes()).await?;
            let (mut read, mut write) = tokio::io::split(far);
            tokio::io::copy(&mut read, &mut write).await?;
            write.shutdown().await
        });
        Ok(Box::new(near))
    }
}

pub fn replica(slot: u16) -> ReplicaId {
    let owner: NodeId = opensky_types::samples::node(1);
    ReplicaId { service: ServiceId::of(&owner, "test"), slot, generation: 1 }
}

impl Setup {
    /// A replica that runs a script, with two names of three outlets.
    pub fn service(&self, script: &str, replica: ReplicaId) -> ServiceRun {
        let program = Program {
            hash: self.image,
            size_bytes: self.size_bytes,
            level: Level::Container,
            function: String::new(),
            args: ["sh", "-c", script].map(String::from).to_vec(),
            env: vec![("GREETING".into(), "hello".into())],
            deterministic: false,
        };
        let outlets = [("db", 5432), ("cache", 8080), ("db", 8080)];
        ServiceRun {
            replica,
            program,
            limits: ReplicaLimits { memory_bytes: 64 << 20, scratch_bytes: 10 << 20, cpu_cores: 1 },
            ports: vec![80],
            outlets: outlets.map(|(name, port)| (name.to_owned(), port)).to_vec(),
        }
    }

    pub async fn started(&self, script: &str) -> Arc<dyn Instance> {
        self.started_within(script, |_| {}).await
    }

    /// The same with other limits.
    pub async fn started_within(
        &self,
        script: &str,
        change: impl FnOnce(&mut ReplicaLimits),
    ) -> Arc<dyn Instance> {
        let mut run = self.service(script, replica(0));
        change(&mut run.limits);
        let outlet = Arc::new(Echoes { refuses: false });
        let started = self.executor.services().start(run, outlet).await;
        started.unwrap_or_else(|failure| panic!("it does not start: {failure}"))
    }
}

/// Dials until it listens.
pub async fn dial(instance: &dyn Instance) -> ByteStream {
    let dialled = async {
        loop {
            match instance.dial(80).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, dialled).await.expect("it listens")
}

/// All that comes until the other side ends.
pub async fn heard(stream: &mut ByteStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
    read.expect("it ends").expect("no error");
    heard
}

pub async fn end_of(instance: &dyn Instance) -> InstanceEnd {
    tokio::time::timeout(PATIENCE, instance.ended()).await.expect("it ends")
}

/// What it wrote, once it has ended by itself.
pub async fn words_of(setup: &Setup, script: &str) -> String {
    let instance = setup.started(script).await;
    let end = end_of(instance.as_ref()).await;
    let words = String::from_utf8_lossy(&instance.last_words(usize::MAX)).into_owned();
    assert!(matches!(end, InstanceEnd::Exited(_)), "{end:?}: {words}");
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_a_service_engine() {
    let Some(setup) = Setup::new("the promises of a service engine").await else { return };
    let run = |does, replica| {
        let script = match does {
            Does::Echo => "echo begun; exec nc -ll -p 80 -e cat",
            Does::Relay => "exec nc -ll -p 80 -e nc cache 8080",
            Does::Exit => "echo bye >&2; exit 7",
        };
        let mut run = setup.service(script, replica);
        run.outlets = vec![("cache".into(), 8080)];
        run
    };
    contract::service_engine(setup.executor.services(), run).await;
}
