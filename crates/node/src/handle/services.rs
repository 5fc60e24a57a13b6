//! Services, from outside the node.

use super::{Handle, NodeGone};
use crate::{
    fetch::blocking,
    requests::Request,
    services::{
        DeclareError, Declaring, LogPart, OpenError, OpenPort, ServiceError, ServiceRequest, ServiceView,
    },
};
use opensky_ports::ByteStream;
use opensky_types::{ServiceId, job::Blob, service::ServiceRef};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::mpsc};

impl Handle {
    /// Declares a service of this node, or its next revision; answers with its revision once that is on disk. Its
    /// image was uploaded before.
    pub async fn declare_service(
        &self,
        declaring: impl Into<Declaring>,
    ) -> Result<(ServiceId, u64), DeclareError> {
        let declaring = Box::new(declaring.into());
        declaring.spec.validate()?;
        if let Some(Blob { hash, .. }) = declaring.spec.program.blob() {
            let blobs = Arc::clone(&self.blobs);
            let found = blocking(move || blobs.open(&hash)).await;
            match found {
                Ok(Some(_)) => {}
                Ok(None) => return Err(DeclareError::BlobMissing(hash)),
                Err(error) => return Err(DeclareError::DiskFailed(error.to_string())),
            }
        }
        let declared = self.ask_service(|answer| ServiceRequest::Declare { declaring, answer }).await;
        self.on_disk(declared.map_err(ServiceError::from)??).await
    }

    /// Declares the revision before anew.
    pub async fn roll_back_service(&self, name: String) -> Result<(ServiceId, u64), DeclareError> {
        let declared = self.ask_service(|answer| ServiceRequest::RollBack { name, answer }).await;
        self.on_disk(declared.map_err(ServiceError::from)??).await
    }

    /// Ends a service of this node everywhere.
    pub async fn remove_service(&self, name: String) -> Result<(), DeclareError> {
        let removed = self.ask_service(|answer| ServiceRequest::Remove { name, answer }).await;
        self.on_disk(removed.map_err(ServiceError::from)??).await
    }

    /// All services that this node owns, keeps or has heard of, in order of name.
    pub async fn services(&self) -> Result<Vec<ServiceView>, NodeGone> {
        self.ask_service(ServiceRequest::List).await
    }

    /// One of them.
    pub async fn service(&self, service: ServiceRef) -> Result<ServiceView, ServiceError> {
        self.ask_service(|answer| ServiceRequest::Show { service, answer }).await?
    }

    /// What its replicas write, or the one in `slot`; for its owner and keepers. With `follow` until they end.
    pub async fn service_log(
        &self,
        service: ServiceRef,
        slot: Option<u16>,
        follow: bool,
    ) -> Result<mpsc::Receiver<LogPart>, ServiceError> {
        self.ask_service(|answer| ServiceRequest::Log { service, slot, follow, answer }).await?
    }

    /// A connection to a port of a service, over any of its replicas that answers; waits a while for one.
    pub async fn reach_service(&self, service: ServiceRef, port: u16) -> io::Result<ByteStream> {
        let reached = self.ask_service(|answer| ServiceRequest::Reach { service, port, answer }).await;
        reached.map_err(io::Error::other)?
    }

    /// Leads a local address to a port of a service, over restarts too; port 0 takes a free one.
    pub async fn open_service(
        &self,
        service: ServiceRef,
        port: u16,
        listen: SocketAddr,
    ) -> Result<OpenPort, OpenError> {
        let listener =
            TcpListener::bind(listen).await.map_err(|source| OpenError::Listen { listen, source })?;
        let request = |answer| ServiceRequest::Open { listener, service, port, answer };
        let opened = self.ask_service(request).await.map_err(ServiceError::from)??;
        self.ask(Request::OnDisk).await.map_err(ServiceError::from)?;
        Ok(opened)
    }

    /// Leads it nowhere any more; `false` if it led nowhere.
    pub async fn close_service(&self, listen: SocketAddr) -> Result<bool, NodeGone> {
        let was_open = self.ask_service(|answer| ServiceRequest::Close { listen, answer }).await?;
        self.ask(Request::OnDisk).await?;
        Ok(was_open)
    }

    async fn ask_service<T>(
        &self,
        request: impl FnOnce(tokio::sync::oneshot::Sender<T>) -> ServiceRequest,
    ) -> Result<T, NodeGone> {
        self.ask(|answer| Request::Service(Box::new(request(answer)))).await
    }

    async fn on_disk<T>(&self, value: T) -> Result<T, DeclareError> {
        self.ask(Request::OnDisk).await.map_err(ServiceError::from)?;
        Ok(value)
    }
}
