//! Login of browsers: a code for the link, a session for the code or for a key; or a message for a wallet, a
//! session for its signature.

use crate::{
    auth::{Caller, Door},
    gate::AUDIT,
    problem::{Answer, Outcome, problem},
    reach::Reach,
    sessions::{LINK_LIFE, Open, Opener, SESSION_LIFE},
    source::Source,
    wallets::{CHALLENGE_LIFE, Named},
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
    Code, Problem,
    key::{KeyView, Role},
    session::{
        ChallengeRequest, ChallengeView, LinkView, OpenSessionQuery, OpenSessionView, OpenSessions,
        SessionRequest, SessionView, WalletSessionRequest,
    },
};
use opensky_ledger::evm::Address;
use opensky_types::{Timestamp, text::ParseError};
use std::time::{Duration, Instant};

/// Largest chain id: readers of JSON keep it exact.
const CHAIN_ID_MAX: u64 = 1 << 53;

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
    Extension(reach): Extension<Reach>,
    Extension(caller): Extension<Caller>,
    request: Result<Json<SessionRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let (opener, role, life) = opening(&door, &caller, &request)?;
    Ok(opened(&door, &reach, (opener, role, life)))
}

fn opened(door: &Door, reach: &Reach, (opener, role, life): (Opener, Role, Duration)) -> Response {
    let (now, opened_at) = (Instant::now(), super::node::now());
    let wallet = wallet_of(&opener);
    let secret = door.sessions().open(Open { opener, opened_at, ends: now + life }, now);
    let cookie = cookie(door, reach, secret.expose(), life);
    let view = SessionView { role, wallet, expires_at: Some(opened_at.plus_ms(millis(life))) };
    (StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(view)).into_response()
}

fn wallet_of(opener: &Opener) -> Option<String> {
    match opener {
        Opener::Wallet { address, .. } => Some(address.to_string()),
        Opener::Token | Opener::Key { .. } => None,
    }
}

/// A message for a wallet to sign. It is given for any wallet: who may log in is nobody else's business.
pub(crate) async fn challenge(
    Extension(door): Extension<Door>,
    Extension(reach): Extension<Reach>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    request: Result<Json<ChallengeRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let address = address(&request.address)?;
    if request.chain_id == 0 || request.chain_id > CHAIN_ID_MAX {
        return Err(problem(Code::InvalidRequest, "'chain_id' is a number from 1 to 2^53"));
    }
    let (from, now) = ((source, reach.site(&headers)), super::node::now());
    let message = door.challenges().issue(from, address, request.chain_id, now, Instant::now());
    let view = ChallengeView { message, expires_at: now.plus_ms(millis(CHALLENGE_LIFE)) };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

/// A session for a wallet that signed the message it was given.
pub(crate) async fn open_wallet(
    Extension(door): Extension<Door>,
    Extension(reach): Extension<Reach>,
    headers: HeaderMap,
    request: Result<Json<WalletSessionRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let site = reach.site(&headers);
    let refused = |why: &str| {
        let next = "ask for a new message and sign it as it is";
        Answer(Problem::new(Code::Unauthorized, why).with_next(next))
    };
    let answered = door.challenges().answer(
        &site,
        &request.message,
        &request.signature,
        super::node::now(),
        Instant::now(),
    );
    let address = answered.map_err(refused)?;
    let Named { role, created_at } = door.wallets().find(&address).ok_or_else(|| {
        let next = format!("its owner can name it: opensky keys wallet add {address} --role viewer");
        Answer(Problem::new(Code::Unauthorized, "this wallet may not log in to this node").with_next(next))
    })?;
    tracing::info!(target: AUDIT, %address, %role, "a wallet logged in");
    Ok(opened(&door, &reach, (Opener::Wallet { address, created_at }, role, SESSION_LIFE)))
}

/// An address as people write it.
pub(super) fn address(text: &str) -> Outcome<Address> {
    text.parse().map_err(|error: ParseError| problem(Code::InvalidRequest, error))
}

/// Who opens a session, what it may do, and for how long: a key's ends with the key.
fn opening(door: &Door, caller: &Caller, request: &SessionRequest) -> Outcome<(Opener, Role, Duration)> {
    match (caller, &request.code) {
        (Caller::Key { name, is_limited: true, .. }, None) => {
            let why = format!("key '{name}' has a limit of what it spends; such keys open no session");
            Err(problem(Code::NotAllowed, why))
        }
        (Caller::Key { name, created_at, .. }, None) => {
            let (now, created_at) = (super::node::now(), *created_at);
            let key = door.keys().working(name, created_at, now);
            let key = key.ok_or_else(|| problem(Code::Unauthorized, "the key was revoked"))?;
            Ok((Opener::Key { name: name.clone(), created_at }, key.role, life_of(&key, now)))
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
    // The gate lets nobody without a role here.
    let role = caller.role().unwrap_or(Role::Viewer);
    let (expires_at, wallet) = match caller {
        Caller::Session { ends, opener, .. } => (Some(at(ends)), wallet_of(&opener)),
        Caller::Token | Caller::Key { .. } | Caller::Nobody => (None, None),
    };
    Json(SessionView { role, wallet, expires_at })
}

pub(crate) async fn close(
    Extension(door): Extension<Door>,
    Extension(reach): Extension<Reach>,
    headers: HeaderMap,
) -> Response {
    if let Some(session) = door.session_of(&headers) {
        door.sessions().close(session);
    }
    let gone = cookie(&door, &reach, "", Duration::ZERO);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

pub(crate) async fn list(
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
) -> Json<OpenSessions> {
    let own = match caller {
        Caller::Session { hash, .. } => Some(hash.short()),
        Caller::Token | Caller::Key { .. } | Caller::Nobody => None,
    };
    let open: Vec<(String, Open)> =
        door.sessions().list(Instant::now()).map(|(id, open)| (id, open.clone())).collect();
    // What a revoked key opened is open to nobody.
    let working = open.into_iter().filter_map(|(id, open)| {
        let role = door.standing(&open.opener)?;
        let (opened_at, expires_at, is_own) = (open.opened_at, at(open.ends), own.as_ref() == Some(&id));
        let (key, wallet) = match open.opener {
            Opener::Token => (None, None),
            Opener::Key { name, .. } => (Some(name.to_string()), None),
            Opener::Wallet { address, .. } => (None, Some(address.to_string())),
        };
        Some(OpenSessionView { id, role, key, wallet, opened_at, expires_at, is_own })
    });
    let mut sessions: Vec<OpenSessionView> = working.collect();
    sessions.sort_by_key(|session| std::cmp::Reverse(session.opened_at));
    Json(OpenSessions { sessions })
}

pub(crate) async fn end(
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<OpenSessionQuery>, QueryRejection>,
) -> Outcome<Json<OpenSessions>> {
    let Query(OpenSessionQuery { id }) = query?;
    if !door.sessions().end(&id) {
        return Err(problem(Code::SessionNotFound, format!("there is no open session '{id}'")));
    }
    tracing::info!(target: AUDIT, id, "a browser's session was ended");
    Ok(list(Extension(door), Extension(caller)).await)
}

/// A moment of this process as one of the calendar.
fn at(moment: Instant) -> Timestamp {
    super::node::now().plus_ms(millis(moment.saturating_duration_since(Instant::now())))
}

fn cookie(door: &Door, reach: &Reach, value: &str, life: Duration) -> String {
    let (name, seconds) = (door.cookie_name(), life.as_secs());
    let secure = if reach.is_secure() { "; Secure" } else { "" };
    format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}")
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
