//! Measurements.

use super::node;
use crate::{
    Gateway,
    metrics::{CONTENT_TYPE, Metrics, Readings},
    problem::Outcome,
};
use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

pub(crate) async fn show(
    State(gateway): State<Gateway>,
    Extension(metrics): Extension<Arc<Metrics>>,
) -> Outcome<Response> {
    let Json(status) = node::status(State(gateway.clone())).await?;
    let node = gateway.handle.status().await?;
    let ledger = gateway.handle.ledger(|engine| engine.overview()).await;
    let text = metrics.text(&Readings { status, node, ledger });
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
