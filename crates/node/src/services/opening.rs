//! Local addresses that lead to services.

use super::{Node, ServiceError, Target};
use crate::{requests::tell, settings};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ports::ByteStream;
use opensky_types::{ServiceId, service::ServiceRef};
use std::{io, net::SocketAddr};
use tokio::{net::TcpListener, sync::oneshot};

/// Local ports that lead to services.
const OPEN_PORTS_MAX: usize = 256;

/// Why a local port does not lead to a service.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name stands for none.
    #[error(transparent)]
    Unknown(#[from] ServiceError),
    /// The service has others.
    #[error("the service has no port {port}; it has {}", ports(.has))]
    NoSuchPort { port: u16, has: Vec<u16> },
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {listen}: {source}")]
    Listen { listen: SocketAddr, source: io::Error },
    /// Too many.
    #[error("{OPEN_PORTS_MAX} local ports lead to services, which is the limit; close one first")]
    TooMany,
}

fn ports(ports: &[u16]) -> String {
    if ports.is_empty() {
        return "none".to_owned();
    }
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A local address that leads to a service.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OpenPort {
    /// Where this node listens.
    pub listen: SocketAddr,
    /// Where it leads.
    pub service: ServiceRef,
    /// The service's port.
    pub port: u16,
}

impl Node {
    pub(super) fn reach_service(
        &self,
        service: ServiceRef,
        port: u16,
        answer: oneshot::Sender<io::Result<ByteStream>>,
    ) {
        let (reacher, stop) = (self.reacher(), self.stop.clone());
        let target = Target { service: self.with_owner(&service), port };
        self.tasks.spawn(async move {
            if let Some(reached) = stop.run_until_cancelled(reacher.reach(&target)).await {
                tell(answer, reached);
            }
        });
    }

    /// What a name means now, for good: the owner that it has at this moment.
    pub(super) fn with_owner(&self, name: &ServiceRef) -> ServiceRef {
        let is_own = self.services.keeper.declared(ServiceId::of(&self.own, &name.name)).is_some();
        let found = self.services.directory.resolve(name, self.own).ok().filter(|_| !is_own);
        name.of(found.map_or(self.own, |resolved| resolved.owner))
    }

    pub(super) fn open_port(
        &mut self,
        listener: TcpListener,
        service: ServiceRef,
        port: u16,
    ) -> Result<OpenPort, OpenError> {
        let id = self.find_service(&service).map_err(ServiceError::from)?;
        let kept = self.services.keeper.declared(id).map(|(declaration, _)| declaration);
        if let Some(declaration) = kept.or_else(|| self.services.directory.declaration(id))
            && !declaration.ports.contains(&port)
        {
            return Err(OpenError::NoSuchPort { port, has: declaration.ports.clone() });
        }
        let service = self.with_owner(&service);
        let open = self.lead_port(listener, service, port)?;
        self.keep_open_ports();
        Ok(open)
    }

    /// Leads a local port to a service, which may come later.
    pub(crate) fn lead_port(
        &mut self,
        listener: TcpListener,
        service: ServiceRef,
        port: u16,
    ) -> Result<OpenPort, OpenError> {
        if self.services.ports.len() >= OPEN_PORTS_MAX {
            return Err(OpenError::TooMany);
        }
        let listen = listener
            .local_addr()
            .map_err(|source| OpenError::Listen { listen: SocketAddr::from(([127, 0, 0, 1], 0)), source })?;
        let open = OpenPort { listen, service: service.clone(), port };
        let stop = self.stop.child_token();
        let target = Target { service, port };
        self.tasks.spawn(self.reacher().serve_port(listener, target, stop.clone()));
        self.services.ports.insert(listen, (open.clone(), stop));
        Ok(open)
    }

    /// Leads the local ports of an earlier life on. One that is taken by now is let go, with a word of it.
    pub(crate) fn restore_open_ports(&mut self, ports: Vec<OpenPort>) {
        for OpenPort { listen, service, port } in ports {
            let bound = std::net::TcpListener::bind(listen).and_then(|listener| {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener)
            });
            let led = bound.map_err(|source| OpenError::Listen { listen, source });
            if let Err(error) = led.and_then(|listener| self.lead_port(listener, service, port)) {
                tracing::warn!(%error, "a local port no longer leads to its service");
            }
        }
    }

    pub(super) fn close_port(&mut self, listen: SocketAddr) -> bool {
        let Some((_, stop)) = self.services.ports.remove(&listen) else { return false };
        stop.cancel();
        self.keep_open_ports();
        true
    }

    fn keep_open_ports(&mut self) {
        let open: Vec<OpenPort> = self.services.ports.values().map(|(open, _)| open.clone()).collect();
        self.keep_record(settings::open_ports_record(&open));
    }
}
