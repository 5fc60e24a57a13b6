//! Keys of the API, and wallets that may log in: made, listed, revoked.

use crate::{
    Gateway,
    auth::{Caller, Door, uncounted},
    gate::AUDIT,
    keys,
    problem::Outcome,
    spending,
};
use axum::{
    Extension, Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use opensky_api::key::{
    KeyQuery, KeyRequest, Keys, NewKey, WalletLoginQuery, WalletLoginRequest, WalletLogins,
};

pub(crate) async fn list(Extension(door): Extension<Door>) -> Json<Keys> {
    let (mut keys, now) = (door.keys().view(), super::node::now());
    for key in &mut keys.keys {
        key.spend = door.spending().view(&key.name, now);
    }
    Json(keys)
}

pub(crate) async fn create(
    State(gateway): State<Gateway>,
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
    request: Result<Json<KeyRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    uncounted(&caller, "make keys")?;
    spending::check(request.spend.as_ref())?;
    let secret = keys::draw();
    let key = door.add_key(&gateway.handle, request, secret.clone(), super::node::now()).await?;
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
    door.remove_key(&gateway.handle, &name).await?;
    tracing::info!(target: AUDIT, name, "an API key was revoked");
    Ok(list(Extension(door)).await)
}

pub(crate) async fn list_wallets(Extension(door): Extension<Door>) -> Json<WalletLogins> {
    Json(door.wallets().view())
}

pub(crate) async fn add_wallet(
    State(gateway): State<Gateway>,
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
    request: Result<Json<WalletLoginRequest>, JsonRejection>,
) -> Outcome<Json<WalletLogins>> {
    let Json(WalletLoginRequest { address, role }) = request?;
    uncounted(&caller, "let wallets log in")?;
    let address = super::session::address(&address)?;
    let now = super::node::now();
    door.change_wallets(&gateway.handle, move |ring| ring.add(address, role, now)).await?;
    tracing::info!(target: AUDIT, %address, %role, "a wallet may log in");
    Ok(list_wallets(Extension(door)).await)
}

pub(crate) async fn remove_wallet(
    State(gateway): State<Gateway>,
    Extension(door): Extension<Door>,
    query: Result<Query<WalletLoginQuery>, QueryRejection>,
) -> Outcome<Json<WalletLogins>> {
    let Query(WalletLoginQuery { address }) = query?;
    let address = super::session::address(&address)?;
    door.change_wallets(&gateway.handle, move |ring| ring.remove(&address)).await?;
    tracing::info!(target: AUDIT, %address, "a wallet may log in no longer");
    Ok(list_wallets(Extension(door)).await)
}
