//! Login of browsers: a code for the link, a session for the code or for a key.

use crate::{
    auth::{Caller, Door},
    gate::AUDIT,
    problem::{Outcome, problem},
    sessions::{LINK_LIFE, Open, Opener, SESSION_LIFE, id_of},
};
use axum::{
    Extension, Json,
    extract::{
        Query,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use opensky_api::{
    Code,
    key::{KeyView, Role},
    session::{LinkView, OpenSessionQuery, OpenSessionView, OpenSessions, SessionRequest, SessionView},
};
use opensky_types::Timestamp;
use std::time::{Duration, Instant};

pub(crate) async fn link(
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
) -> Outcome<Response> {
    // A session that a session opened would outlive it; a key opens its own.
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
    Extension(caller): Extension<Caller>,
    request: Result<Json<SessionRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let (opener, role, life) = opening(&door, &caller, &request)?;
    let (now, opened_at) = (Instant::now(), super::node::now());
    let secret = door.sessions().open(Open { opener, opened_at, ends: now + life }, now);
    let cookie = cookie(&door, secret.expose(), life);
    let view = SessionView { expires_at: Some(opened_at.plus_ms(millis(life))), role };
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(view)).into_response())
}

/// Who opens a session, what it may do, and for how long: a key's ends with the key.
fn opening(door: &Door, caller: &Caller, request: &SessionRequest) -> Outcome<(Opener, Role, Duration)> {
    match (caller, &request.code) {
        (Caller::Key { name, .. }, None) => {
            let keys = door.keys().view().keys;
            let key = keys.into_iter().find(|key| key.name == **name);
            let key = key.ok_or_else(|| problem(Code::Unauthorized, "the key was revoked"))?;
            let opener = Opener::Key { name: name.clone(), created_at: key.created_at };
            Ok((opener, key.role, life_of(&key, super::node::now())))
        }
        (_, Some(code)) => {
            if !door.sessions().redeem(code, Instant::now()) {
                return Err(problem(Code::Unauthorized, "the link was used before, or is too old"));
            }
            Ok((Opener::Token, Role::Owner, SESSION_LIFE))
        }
        _ => {
            Err(problem(Code::InvalidRequest, "a session is opened by the code of a link, or by an API key"))
        }
    }
}

fn life_of(key: &KeyView, now: Timestamp) -> Duration {
    let left =
        key.expires_at.map(|ends| Duration::from_millis(ends.as_millis().saturating_sub(now.as_millis())));
    left.unwrap_or(SESSION_LIFE).min(SESSION_LIFE)
}

pub(crate) async fn show(Extension(caller): Extension<Caller>) -> Json<SessionView> {
    let role = caller.role().unwrap_or(Role::Viewer);
    let expires_at = match caller {
        Caller::Session { ends, .. } => Some(at(ends)),
        Caller::Token | Caller::Key { .. } | Caller::Nobody => None,
    };
    Json(SessionView { expires_at, role })
}

pub(crate) async fn close(Extension(door): Extension<Door>, headers: HeaderMap) -> Response {
    if let Some(session) = door.session_of(&headers) {
        door.sessions().close(session);
    }
    let gone = cookie(&door, "", Duration::ZERO);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

pub(crate) async fn list(Extension(door): Extension<Door>, headers: HeaderMap) -> Json<OpenSessions> {
    let own = door.session_of(&headers).map(id_of);
    let open: Vec<(String, Open)> =
        door.sessions().list(Instant::now()).map(|(id, open)| (id, open.clone())).collect();
    // What a revoked key opened is open to nobody.
    let working = open.into_iter().filter_map(|(id, open)| {
        let (role, key) = door.standing(&open.opener)?;
        let (opened_at, expires_at, is_own) = (open.opened_at, at(open.ends), own.as_ref() == Some(&id));
        let key = key.map(|name| name.to_string());
        Some(OpenSessionView { id, role, key, opened_at, expires_at, is_own })
    });
    let mut sessions: Vec<OpenSessionView> = working.collect();
    sessions.sort_by_key(|session| std::cmp::Reverse(session.opened_at));
    Json(OpenSessions { sessions })
}

pub(crate) async fn end(
    Extension(door): Extension<Door>,
    headers: HeaderMap,
    query: Result<Query<OpenSessionQuery>, QueryRejection>,
) -> Outcome<Json<OpenSessions>> {
    let Query(OpenSessionQuery { id }) = query?;
    if !door.sessions().end(&id) {
        return Err(problem(Code::SessionNotFound, format!("there is no open session '{id}'")));
    }
    tracing::info!(target: AUDIT, id, "a browser's session was ended");
    Ok(list(Extension(door), headers).await)
}

/// A moment of this process as one of the calendar.
fn at(moment: Instant) -> Timestamp {
    super::node::now().plus_ms(millis(moment.saturating_duration_since(Instant::now())))
}

fn cookie(door: &Door, value: &str, life: Duration) -> String {
    let (name, seconds) = (door.cookie_name(), life.as_secs());
    format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}")
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
