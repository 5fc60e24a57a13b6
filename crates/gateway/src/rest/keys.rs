//! Keys of the API, and wallets that may log in: made, listed, revoked.

use crate::{
    Gateway,
    auth::{Caller, Door, uncounted},
    gate::AUDIT,
    keys,
    problem::Outcome,
    spending::{self, Spending},
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
    let (now, limit) = (super::node::now(), request.spend);
    // The limit is there before the key is: nothing is spent without it. A name that is taken keeps its own.
    let mut tried = door.keys().clone();
    let name = tried.add(request.clone(), &secret, now)?.name;
    let set = |spending: &mut Spending| {
        spending.set(&name, limit, now);
        Ok(())
    };
    door.change_spending(&gateway.handle, set).await?;
    let mut key = door.change_keys(&gateway.handle, |ring| ring.add(request, &secret, now)).await?;
    key.spend = door.spending().view(&key.name, now);
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
    door.change_wallets(&gateway.handle, |ring| ring.add(address, role, now)).await?;
    // What it may do now is asked at its next login.
    door.sessions().close_all_of(address);
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
    door.change_wallets(&gateway.handle, |ring| ring.remove(&address)).await?;
    door.sessions().close_all_of(address);
    tracing::info!(target: AUDIT, %address, "a wallet may log in no longer");
    Ok(list_wallets(Extension(door)).await)
}
