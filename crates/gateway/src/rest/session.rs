//! Login of browsers: a code for the link, a session for the code; or a message for a wallet, a session for
//! its signature.

use crate::{
    auth::{Caller, Door},
    gate::AUDIT,
    problem::{Answer, Outcome, problem},
    reach::Reach,
    sessions::{Holder, LINK_LIFE, SESSION_LIFE, Secret},
    wallets::CHALLENGE_LIFE,
};
use axum::{
    Extension, Json,
    extract::rejection::JsonRejection,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use opensky_api::{
    Code, Problem,
    key::Role,
    session::{ChallengeRequest, ChallengeView, LinkView, SessionRequest, SessionView, WalletSessionRequest},
};
use opensky_ledger::evm::Address;
use opensky_types::text::ParseError;
use std::time::{Duration, Instant};

/// Largest chain id: readers of JSON keep it exact.
const CHAIN_ID_MAX: u64 = 1 << 53;

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
    Extension(reach): Extension<Reach>,
    request: Result<Json<SessionRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let session = door.sessions().open(&request.code, Instant::now());
    let session =
        session.ok_or_else(|| problem(Code::Unauthorized, "the link was used before, or is too old"))?;
    Ok(opened(&door, &reach, &session, Holder::OWNER))
}

/// A message for a wallet to sign. It is given for any wallet: who may log in is nobody else's business.
pub(crate) async fn challenge(
    Extension(door): Extension<Door>,
    Extension(reach): Extension<Reach>,
    headers: HeaderMap,
    request: Result<Json<ChallengeRequest>, JsonRejection>,
) -> Outcome<Response> {
    let Json(request) = request?;
    let address = address(&request.address)?;
    if request.chain_id == 0 || request.chain_id > CHAIN_ID_MAX {
        return Err(problem(Code::InvalidRequest, "'chain_id' is a number from 1 to 2^53"));
    }
    let (site, now) = (reach.site(&headers), super::node::now());
    let message = door.challenges().issue(site, address, request.chain_id, now, Instant::now());
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
    let role = door.wallets().role_of(&address).ok_or_else(|| {
        let next = format!("its owner can name it: opensky keys wallet add {address} --role viewer");
        Answer(Problem::new(Code::Unauthorized, "this wallet may not log in to this node").with_next(next))
    })?;
    let holder = Holder { role, wallet: Some(address) };
    let session = door.sessions().begin(holder, Instant::now());
    tracing::info!(target: AUDIT, %address, %role, "a wallet logged in");
    Ok(opened(&door, &reach, &session, holder))
}

/// An address as people write it.
pub(super) fn address(text: &str) -> Outcome<Address> {
    text.parse().map_err(|error: ParseError| problem(Code::InvalidRequest, error))
}

fn opened(door: &Door, reach: &Reach, session: &Secret, holder: Holder) -> Response {
    let cookie = cookie(door, reach, session.expose(), SESSION_LIFE);
    let view = SessionView {
        role: holder.role,
        wallet: holder.wallet.map(|wallet| wallet.to_string()),
        expires_at: Some(super::node::now().plus_ms(millis(SESSION_LIFE))),
    };
    (StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(view)).into_response()
}

pub(crate) async fn show(Extension(caller): Extension<Caller>) -> Json<SessionView> {
    let (expires_at, wallet) = match caller {
        Caller::Session { ends, holder } => {
            let left = ends.saturating_duration_since(Instant::now());
            (Some(super::node::now().plus_ms(millis(left))), holder.wallet.map(|wallet| wallet.to_string()))
        }
        Caller::Token | Caller::Key { .. } | Caller::Nobody => (None, None),
    };
    // The gate lets nobody without a role here.
    Json(SessionView { role: caller.role().unwrap_or(Role::Viewer), wallet, expires_at })
}

pub(crate) async fn close(
    Extension(door): Extension<Door>,
    Extension(reach): Extension<Reach>,
    headers: HeaderMap,
) -> Response {
    if let Some(session) = door.session_of(&headers) {
        door.sessions().close(session, Instant::now());
    }
    let gone = cookie(&door, &reach, "", Duration::ZERO);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

fn cookie(door: &Door, reach: &Reach, value: &str, life: Duration) -> String {
    let (name, seconds) = (door.cookie_name(), life.as_secs());
    let secure = if reach.is_secure() { "; Secure" } else { "" };
    format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}")
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
