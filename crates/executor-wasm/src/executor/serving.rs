//! Services that are components: in memory while somebody is connected, and a moment after that.
//!
//! `instance` is what the node holds of one, `worker` the process that answers while there is one. A spare worker waits
//! locked in and without a program, so that the first connection after a rest need not wait for a process.

mod instance;
mod worker;

use super::{Config, Shared};
use async_trait::async_trait;
use instance::{Component, Handle};
use opensky_ports::{Instance, Outlet, ServiceEngine, ServiceRun};
use opensky_types::{place::Level, task::Failure};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::task::TaskTracker;
use worker::Server;

/// Runs components that answer HTTP.
pub struct WasmServices {
    inner: Arc<Inner>,
}

/// What all components know.
struct Inner {
    shared: Arc<Shared>,
    config: Config,
    spare: Mutex<Option<Server>>,
    tasks: TaskTracker,
}

impl WasmServices {
    pub(super) fn new(shared: Arc<Shared>, config: Config) -> Self {
        let inner = Inner { shared, config, spare: Mutex::default(), tasks: TaskTracker::new() };
        Self { inner: Arc::new(inner) }
    }
}

#[async_trait]
impl ServiceEngine for WasmServices {
    fn levels(&self) -> Vec<Level> {
        vec![Level::Vm]
    }

    /// Starts a component once, so that what is wrong with it is known now.
    async fn start(&self, run: ServiceRun, _: Arc<dyn Outlet>) -> Result<Arc<dyn Instance>, Failure> {
        if self.inner.shared.stopping.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        if !run.outlets.is_empty() {
            let message = "a component reaches no other service".to_owned();
            return Err(Failure::InvalidProgram { message });
        }
        Ok(Arc::new(Handle(Component::start(Arc::clone(&self.inner), run).await?)))
    }

    async fn shut_down(&self) {
        self.inner.shared.stopping.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        let spare = self.inner.take_spare();
        if let Some(mut spare) = spare {
            spare.process.kill().await;
        }
    }
}

impl Inner {
    fn take_spare(&self) -> Option<Server> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A worker that waits for its program: the spare one, if there is one.
    async fn server(self: &Arc<Self>) -> Result<Server, Failure> {
        let spare = self.take_spare();
        let inner = Arc::clone(self);
        // The next one is for the next.
        self.tasks.spawn(async move {
            let stopping = inner.shared.stopping.clone();
            if let Some(Ok(server)) = stopping.run_until_cancelled(Server::spawn(&inner.config)).await {
                inner.spare.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(server);
            }
        });
        if let Some(mut server) = spare
            // It may have died while it waited.
            && server.process.lives()
        {
            return Ok(server);
        }
        Server::spawn(&self.config).await
    }
}
