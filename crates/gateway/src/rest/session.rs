//! Login of browsers: a code for the link, a session for the code.

use crate::{
    auth::{Caller, Door},
    problem::{Outcome, problem},
    sessions::{LINK_LIFE, SESSION_LIFE},
};
use axum::{
    Extension, Json,
    extract::rejection::JsonRejection,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use opensky_api::{
    Code,
    session::{LinkView, SessionRequest, SessionView},
};
use std::time::{Duration, Instant};

pub(crate) async fn link(
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
) -> Outcome<Response> {
    // A session that a key or another session opened would outlive it.
    if caller != Caller::Token {
        return Err(problem(Code::NotAllowed, "links are made by whoever holds the token"));
    }
    let code = door.sessions().link(Instant::now()).expose().to_owned();
    let path = format!("/#login={code}");
    let view = LinkView { code, path, expires_at: super::node::now().plus_ms(millis(LINK_LIFE)) };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

pub(crate) async fn open(
    Extension(door): Extension<Door>,
    request: Result<Json<SessionRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let session = door.sessions().open(&request.code, Instant::now());
    let session =
        session.ok_or_else(|| problem(Code::Unauthorized, "the link was used before, or is too old"))?;
    let cookie = cookie(&door, session.expose(), SESSION_LIFE);
    let view = SessionView { expires_at: Some(super::node::now().plus_ms(millis(SESSION_LIFE))) };
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(view)).into_response())
}

pub(crate) async fn show(Extension(caller): Extension<Caller>) -> Json<SessionView> {
    let expires_at = match caller {
        Caller::Session { ends } => {
            let left = ends.saturating_duration_since(Instant::now());
            Some(super::node::now().plus_ms(millis(left)))
        }
        Caller::Token | Caller::Key { .. } | Caller::Nobody => None,
    };
    Json(SessionView { expires_at })
}

pub(crate) async fn close(Extension(door): Extension<Door>, headers: HeaderMap) -> Response {
    if let Some(session) = door.session_of(&headers) {
        door.sessions().close(session, Instant::now());
    }
    let gone = cookie(&door, "", Duration::ZERO);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

fn cookie(door: &Door, value: &str, life: Duration) -> String {
    let (name, seconds) = (door.cookie_name(), life.as_secs());
    format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}")
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
