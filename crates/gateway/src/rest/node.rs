//! The node itself: status, machine, limits, configuration, doctor, stop.

use crate::{
    Gateway,
    problem::{Outcome, problem},
    streams::Streams,
    views,
};
use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use opensky_api::{
    Code,
    config::ConfigView,
    doctor::DoctorReport,
    limits::{Limits, LimitsView},
    status::{NodeView, RenameRequest, Status},
};
use opensky_types::{Timestamp, limits::ContributionLimits};
use std::{
    sync::{Arc, PoisonError},
    time::SystemTime,
};

pub(crate) async fn status(State(gateway): State<Gateway>) -> Outcome<Json<Status>> {
    let handle = &gateway.handle;
    let (status, network, ledger) =
        tokio::join!(handle.status(), handle.network(), views::ledger::summary(handle));
    let offers = handle.offers().await?.len() as u32;
    Ok(Json(views::status(&gateway, status?, network?, ledger, offers, now())))
}

pub(crate) async fn node(State(gateway): State<Gateway>) -> Outcome<Json<NodeView>> {
    let status = gateway.handle.status().await?;
    Ok(Json(NodeView {
        node: status.node,
        name: gateway.name(),
        hardware: (&status.hardware).into(),
        readings: status.readings.into(),
        limits: (&status.limits).into(),
        offer: status.offer.as_ref().map(Into::into),
    }))
}

pub(crate) async fn rename(
    State(gateway): State<Gateway>,
    request: Result<Json<RenameRequest>, JsonRejection>,
) -> Outcome<Json<NodeView>> {
    let Json(RenameRequest { name }) = request?;
    let keep = Arc::clone(&gateway.surroundings.rename);
    let kept = views::blocking(move || keep(name.trim())).await;
    let name = kept.map_err(|reason| problem(Code::InvalidRequest, reason))?;
    *gateway.name.write().unwrap_or_else(PoisonError::into_inner) = name;
    node(State(gateway)).await
}

pub(crate) async fn limits(State(gateway): State<Gateway>) -> Outcome<Json<LimitsView>> {
    let status = gateway.handle.status().await?;
    Ok(Json(LimitsView {
        limits: (&status.limits).into(),
        slots_total: status.slots_total,
        closed_reason: status.sharing_note,
    }))
}

pub(crate) async fn set_limits(
    State(gateway): State<Gateway>,
    request: Result<Json<Limits>, JsonRejection>,
) -> Outcome<Json<LimitsView>> {
    let Json(limits) = request?;
    let limits =
        ContributionLimits::try_from(limits).map_err(|error| problem(Code::InvalidRequest, error))?;
    gateway.handle.set_limits(limits).await?;
    self::limits(State(gateway)).await
}

pub(crate) async fn config(State(gateway): State<Gateway>) -> Json<ConfigView> {
    Json(gateway.surroundings.config.clone())
}

pub(crate) async fn doctor(State(gateway): State<Gateway>) -> Json<DoctorReport> {
    let doctor = Arc::clone(&gateway.surroundings.doctor);
    Json(DoctorReport { checks: views::blocking(move || doctor()).await })
}

/// Answers before the node is down: the caller waits for the process to end.
pub(crate) async fn stop(
    State(gateway): State<Gateway>,
    Extension(streams): Extension<Streams>,
) -> StatusCode {
    streams.tasks.spawn(async move { gateway.handle.shut_down().await });
    StatusCode::ACCEPTED
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis() as u64)
}
