//! All that runs tasks on this node, as one executor: each batch goes to the one for its level.

use async_trait::async_trait;
use opensky_executor_container::{ContainerExecutor, ContainerServices};
use opensky_executor_wasm::{WasmExecutor, WasmServices};
use opensky_ports::{Engine, Executor, Instance, LogSink, Outlet, ServiceEngine, ServiceRun, WorkBatch};
use opensky_types::{
    job::{Blob, Isolation},
    place::Level,
    service::ReplicaId,
    task::Failure,
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The executors of a node.
pub struct Executors {
    pub wasm: Arc<WasmExecutor>,
    /// None if the owner wants no containers.
    pub container: Option<ContainerExecutor>,
}

impl Executors {
    /// What runs services here.
    pub fn services(&self) -> Arc<dyn ServiceEngine> {
        let container = self.container.as_ref().map(|container| container.services());
        Arc::new(Services { wasm: self.wasm.services(), container })
    }

    fn of(&self, level: Level) -> &dyn Executor {
        match (level, &self.container) {
            (Level::Container, Some(container)) => container,
            // Nothing of a level that is not offered gets here.
            _ => self.wasm.as_ref(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &dyn Executor> {
        let container = self.container.as_ref().map(|container| container as &dyn Executor);
        std::iter::once(self.wasm.as_ref() as &dyn Executor).chain(container)
    }
}

/// All that runs services on this node, by level.
struct Services {
    wasm: Arc<WasmServices>,
    container: Option<Arc<ContainerServices>>,
}

impl Services {
    fn all(&self) -> impl Iterator<Item = &dyn ServiceEngine> {
        let container = self.container.as_ref().map(|container| container.as_ref() as &dyn ServiceEngine);
        std::iter::once(self.wasm.as_ref() as &dyn ServiceEngine).chain(container)
    }
}

#[async_trait]
impl ServiceEngine for Services {
    fn levels(&self) -> Vec<Level> {
        self.all().flat_map(ServiceEngine::levels).collect()
    }

    fn isolations(&self) -> Vec<Isolation> {
        self.all().flat_map(ServiceEngine::isolations).collect()
    }

    async fn start(&self, run: ServiceRun, outlet: Arc<dyn Outlet>) -> Result<Arc<dyn Instance>, Failure> {
        match (run.program.level, &self.container) {
            (Level::Container, Some(container)) => container.start(run, outlet).await,
            // Nothing of a level that is not offered gets here.
            _ => self.wasm.start(run, outlet).await,
        }
    }

    // Only what runs in containers has volumes.
    async fn save(&self, replica: ReplicaId) -> Result<Blob, Failure> {
        match &self.container {
            Some(container) => container.save(replica).await,
            None => self.wasm.save(replica).await,
        }
    }

    async fn forget(&self, replica: ReplicaId, others_have_it: bool) {
        if let Some(container) = &self.container {
            container.forget(replica, others_have_it).await;
        }
    }

    async fn shut_down(&self) {
        futures::future::join_all(self.all().map(ServiceEngine::shut_down)).await;
    }
}

#[async_trait]
impl Executor for Executors {
    fn engines(&self) -> Vec<Engine> {
        self.all().flat_map(Executor::engines).collect()
    }

    async fn run(&self, batch: WorkBatch, sink: &dyn LogSink, cancel: CancellationToken) {
        self.of(batch.program.level).run(batch, sink, cancel).await;
    }

    async fn shut_down(&self) {
        futures::future::join_all(self.all().map(Executor::shut_down)).await;
    }
}
