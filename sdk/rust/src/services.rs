//! Services.

use crate::{Client, ClientError, client::QueryWith};
use opensky_api::{
    routes,
    service::{
        ClosePortQuery, OpenPortRequest, OpenPortView, ScaleRequest, ServiceLogQuery, ServiceRequest,
        ServiceView, Services,
    },
};
use opensky_types::service::ServiceRef;
use reqwest::{Method, Response};

impl Client {
    /// Services that the node owns, keeps or has heard of.
    pub async fn services(&self) -> Result<Services, ClientError> {
        self.get(routes::SERVICES).await
    }

    /// One of them.
    pub async fn service(&self, service: &ServiceRef) -> Result<ServiceView, ClientError> {
        self.get(&routes::service(service)).await
    }

    /// Declares a service of the node, or its next revision. Its image was uploaded before.
    pub async fn declare_service(&self, request: &ServiceRequest) -> Result<ServiceView, ClientError> {
        self.call(Method::POST, routes::SERVICES, Some(request)).await
    }

    /// Changes how many replicas run.
    pub async fn scale_service(
        &self,
        service: &ServiceRef,
        replicas: u16,
    ) -> Result<ServiceView, ClientError> {
        self.call(Method::POST, &routes::service_scale(service), Some(&ScaleRequest { replicas })).await
    }

    /// Declares the revision before anew.
    pub async fn roll_back_service(&self, service: &ServiceRef) -> Result<ServiceView, ClientError> {
        self.call::<(), _>(Method::POST, &routes::service_rollback(service), None).await
    }

    /// Ends a service everywhere.
    pub async fn remove_service(&self, service: &ServiceRef) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, &routes::service(service))).await.map(|_| ())
    }

    /// What its replicas write: one [`ServiceLogPart`](opensky_api::service::ServiceLogPart) as JSON in each line.
    pub async fn service_log(
        &self,
        service: &ServiceRef,
        query: &ServiceLogQuery,
    ) -> Result<Response, ClientError> {
        self.stream(self.request(Method::GET, &routes::service_log(service)).query_with(query)).await
    }

    /// Leads a local address of the node to a port of a service.
    pub async fn open_service_port(
        &self,
        service: &ServiceRef,
        request: &OpenPortRequest,
    ) -> Result<OpenPortView, ClientError> {
        self.call(Method::POST, &routes::service_ports(service), Some(request)).await
    }

    /// Leads it nowhere any more.
    pub async fn close_service_port(
        &self,
        service: &ServiceRef,
        query: &ClosePortQuery,
    ) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &routes::service_ports(service)).query_with(query);
        self.send(request).await.map(|_| ())
    }
}
