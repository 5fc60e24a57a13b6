//! Keys of the API: made, listed, revoked.

use crate::{Gateway, auth::Door, gate::AUDIT, keys, problem::Outcome};
use axum::{
    Extension, Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use opensky_api::key::{KeyQuery, KeyRequest, Keys, NewKey};

pub(crate) async fn list(Extension(door): Extension<Door>) -> Json<Keys> {
    Json(door.keys().view())
}

pub(crate) async fn create(
    State(gateway): State<Gateway>,
    Extension(door): Extension<Door>,
    request: Result<Json<KeyRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let secret = keys::draw();
    let now = super::node::now();
    let key = door.change_keys(&gateway.handle, |ring| ring.add(request, &secret, now)).await?;
    tracing::info!(target: AUDIT, name = key.name, role = %key.role, "an API key was made");
    let new = NewKey { key, secret: secret.to_string() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(new)).into_response())
}

pub(crate) async fn revoke(
    State(gateway): State<Gateway>,
    Extension(door): Extension<Door>,
    query: Result<Query<KeyQuery>, QueryRejection>,
) -> Outcome<Json<Keys>> {
    let Query(KeyQuery { name }) = query?;
    door.change_keys(&gateway.handle, |ring| ring.remove(&name)).await?;
    tracing::info!(target: AUDIT, name, "an API key was revoked");
    Ok(list(Extension(door)).await)
}
