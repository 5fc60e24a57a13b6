//! Services: declared, changed, looked at, reached.

use super::telling::Telling;
use crate::{
    Gateway,
    auth::Caller,
    problem::{Answer, Outcome, problem},
    views::services::view,
};
use axum::{
    Extension, Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::StatusCode,
    response::Response,
};
use futures::StreamExt;
use opensky_api::{
    Code,
    event::StreamView,
    service::{
        ClosePortQuery, DeclareQuery, OpenPortRequest, OpenPortView, ScaleRequest, ServiceLogPart,
        ServiceLogQuery, ServiceRequest, ServiceView, Services,
    },
};
use opensky_node::{DeclareError, Declaring, GivenSecret, LogPart, OpenError, ServiceError};
use opensky_types::service::{InvalidService, ServiceRef, ServiceSpec};
use std::net::SocketAddr;
use tokio_stream::wrappers::ReceiverStream;

/// Content type of one line of JSON for each part.
pub(crate) const JSON_LINES: &str = "application/x-ndjson";

/// Tries to scale a service that others declare at the same time.
const SCALE_TRIES: u32 = 8;

type Named = Result<Path<ServiceRef>, PathRejection>;

pub(crate) async fn list(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
) -> Outcome<Json<Services>> {
    let services = gateway.handle.services().await?;
    let views = services.into_iter().map(|service| view(gateway.handle.node(), &caller, service));
    Ok(Json(Services { services: views.collect() }))
}

pub(crate) async fn show(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    path: Named,
) -> Outcome<Json<ServiceView>> {
    let Path(service) = path?;
    shown(&gateway, &caller, service).await
}

async fn shown(gateway: &Gateway, caller: &Caller, service: ServiceRef) -> Outcome<Json<ServiceView>> {
    let found = gateway.handle.service(service).await?;
    Ok(Json(view(gateway.handle.node(), caller, found)))
}

pub(crate) async fn declare(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<DeclareQuery>, QueryRejection>,
    request: Result<Json<ServiceRequest>, JsonRejection>,
) -> Outcome<(StatusCode, Json<ServiceView>)> {
    let (Query(DeclareQuery { after }), Json(mut request)) = (query?, request?);
    let secrets = request.take_secrets().into_iter();
    let secrets = secrets.map(|(secret, value)| GivenSecret { secret, value }).collect();
    let spec = request.into_spec()?;
    let name = own(&spec.name);
    gateway.handle.declare_service(Declaring { spec, secrets, after }).await?;
    Ok((StatusCode::CREATED, shown(&gateway, &caller, name).await?))
}

pub(crate) async fn scale(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    path: Named,
    request: Result<Json<ScaleRequest>, JsonRejection>,
) -> Outcome<Json<ServiceView>> {
    let (Path(service), Json(request)) = (path?, request?);
    // What somebody declares meanwhile is scaled, not overwritten.
    for _ in 0..SCALE_TRIES {
        let (spec, revision) = own_spec(&gateway, &service).await?;
        if spec.scale.is_some() {
            let what = "it scales by its load; to change that, declare it with other bounds";
            return Err(problem(Code::InvalidService, what));
        }
        let spec = ServiceSpec { replicas: request.replicas, ..spec };
        let declaring = Declaring { after: Some(revision), ..spec.into() };
        match gateway.handle.declare_service(declaring).await {
            Ok(_) => return shown(&gateway, &caller, service).await,
            Err(DeclareError::Changed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(problem(Code::WrongState, "the service is declared anew all the time; try it again"))
}

pub(crate) async fn roll_back(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    path: Named,
) -> Outcome<Json<ServiceView>> {
    let Path(service) = path?;
    own_spec(&gateway, &service).await?;
    gateway.handle.roll_back_service(service.name.clone()).await?;
    shown(&gateway, &caller, service).await
}

pub(crate) async fn remove(State(gateway): State<Gateway>, path: Named) -> Outcome<StatusCode> {
    let Path(service) = path?;
    own_spec(&gateway, &service).await?;
    gateway.handle.remove_service(service.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What runs of a service that this node owns, and its newest revision.
async fn own_spec(gateway: &Gateway, service: &ServiceRef) -> Outcome<(ServiceSpec, u64)> {
    let found = gateway.handle.service(service.clone()).await?;
    let owner = found.declaration.owner;
    if owner != gateway.handle.node() {
        return Err(ServiceError::NotOwner(owner).into());
    }
    let spec = found.spec.ok_or_else(|| problem(Code::ServiceNotFound, "the service is removed"))?;
    Ok((spec, found.declaration.revision))
}

fn own(name: &str) -> ServiceRef {
    ServiceRef { name: name.to_owned(), owner: None }
}

/// Its parts have no cursor: who comes back is given what the replicas' nodes still have.
pub(crate) async fn log(
    State(gateway): State<Gateway>,
    telling: Telling,
    path: Named,
    query: Result<Query<ServiceLogQuery>, QueryRejection>,
) -> Outcome<Response> {
    let (Path(service), Query(query)) = (path?, query?);
    let parts = gateway.handle.service_log(service, query.slot, query.follow).await?;
    telling.answer_lines(JSON_LINES, ReceiverStream::new(parts).map(line))
}

fn line(part: LogPart) -> String {
    let part = ServiceLogPart {
        replica: part.replica,
        stream: if part.is_stderr { StreamView::Stderr } else { StreamView::Stdout },
        text: String::from_utf8_lossy(&part.bytes).into_owned(),
    };
    serde_json::to_string(&part).expect("a part is plain data")
}

pub(crate) async fn open_port(
    State(gateway): State<Gateway>,
    path: Named,
    request: Result<Json<OpenPortRequest>, JsonRejection>,
) -> Outcome<(StatusCode, Json<OpenPortView>)> {
    let (Path(service), Json(request)) = (path?, request?);
    let listen = request.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let open = gateway.handle.open_service(service, request.port, listen).await?;
    Ok((StatusCode::CREATED, Json(OpenPortView { listen: open.listen, port: open.port })))
}

pub(crate) async fn close_port(
    State(gateway): State<Gateway>,
    path: Named,
    query: Result<Query<ClosePortQuery>, QueryRejection>,
) -> Outcome<StatusCode> {
    // The service may be gone: its name need not mean anything any more.
    let (Path(service), Query(query)) = (path?, query?);
    if gateway.handle.close_service(query.listen).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(problem(Code::ServiceNotFound, format!("{} does not lead to {service}", query.listen)))
}

impl From<InvalidService> for Answer {
    fn from(error: InvalidService) -> Self {
        problem(Code::InvalidService, error)
    }
}

impl From<ServiceError> for Answer {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Unknown(_) => problem(Code::ServiceNotFound, error),
            ServiceError::NotOwner(_) => problem(Code::NotAllowed, error),
            ServiceError::Gone(gone) => gone.into(),
        }
    }
}

impl From<DeclareError> for Answer {
    fn from(error: DeclareError) -> Self {
        match error {
            DeclareError::Invalid(invalid) => invalid.into(),
            DeclareError::SecretMissing(_) | DeclareError::Seal(_) => problem(Code::InvalidService, error),
            DeclareError::Changed { .. } => problem(Code::WrongState, error),
            DeclareError::BlobMissing(_) => problem(Code::BlobNotFound, error),
            DeclareError::TooMany => problem(Code::Busy, error),
            DeclareError::NothingBefore => problem(Code::WrongState, error),
            DeclareError::DiskFailed(_) => problem(Code::StorageFull, error),
            DeclareError::Unknown(error) => error.into(),
        }
    }
}

impl From<OpenError> for Answer {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unknown(error) => error.into(),
            OpenError::NoSuchPort { .. } => problem(Code::InvalidRequest, error),
            OpenError::Listen { .. } => problem(Code::WrongState, error),
            OpenError::TooMany => problem(Code::Busy, error),
        }
    }
}
