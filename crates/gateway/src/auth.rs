//! Who may use the API: whoever holds the token, and browsers with a session; both from this machine's
//! own names only.

use crate::{
    problem::{Answer, problem},
    sessions::Sessions,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use opensky_api::{
    Code, Problem, routes,
    session::{CSRF_HEADER, CSRF_VALUE},
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What nobody needs a token or a session for: what opens a session, and the API's description.
const OPEN: [(Method, &str); 2] = [(Method::POST, routes::SESSION), (Method::GET, routes::OPENAPI)];

/// The secret that opens the API. Has no `Debug`.
#[derive(Clone)]
pub struct Token(Arc<Zeroizing<String>>);

impl Token {
    /// A token from its text.
    pub fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    fn fits(&self, headers: &HeaderMap) -> bool {
        let shown = text(headers, header::AUTHORIZATION);
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        shown.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Whoever can read the token file.
    Token,
    /// A browser.
    Session { ends: Instant },
    /// Nobody yet: a browser that brings a code.
    Nobody,
}

/// What tells callers apart.
#[derive(Clone)]
pub(crate) struct Door {
    token: Token,
    sessions: Arc<Mutex<Sessions>>,
    cookie: Arc<str>,
}

impl Door {
    /// Browsers send cookies to every port of a machine, so the cookie's name tells nodes apart.
    pub(crate) fn new(token: Token, port: u16) -> Self {
        Self { token, sessions: Arc::default(), cookie: format!("opensky-session-{port}").into() }
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cookie_name(&self) -> &str {
        &self.cookie
    }

    /// The session that a request names, open or not.
    pub(crate) fn session_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie_name()).map(|(_, value)| value)
    }

    fn caller(&self, request: &Request) -> Result<Caller, Answer> {
        let headers = request.headers();
        if headers.contains_key(header::AUTHORIZATION) {
            return if self.token.fits(headers) { Ok(Caller::Token) } else { Err(unknown_caller()) };
        }
        if OPEN.iter().any(|(method, path)| request.method() == method && request.uri().path() == *path) {
            return own_page(headers).map(|()| Caller::Nobody);
        }
        let session = self.session_of(headers).ok_or_else(unknown_caller)?;
        let ends = self.sessions().end_of(session, Instant::now()).ok_or_else(unknown_caller)?;
        own_page(headers)?;
        let changes = ![Method::GET, Method::HEAD].contains(request.method());
        if changes && headers.get(CSRF_HEADER).is_none_or(|value| value != CSRF_VALUE) {
            return Err(problem(Code::NotAllowed, format!("the header {CSRF_HEADER} is missing")));
        }
        Ok(Caller::Session { ends })
    }
}

/// Lets a request for the API through or answers 401 or 403.
pub(crate) async fn check(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    match door.caller(&request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(answer) => answer.into_response(),
    }
}

/// Lets a request through that was sent to a name of this machine.
pub(crate) async fn local_only(request: Request, next: Next) -> Response {
    if is_local_host(request.headers()) {
        return next.run(request).await;
    }
    // A page on the internet can point its own name at 127.0.0.1; its requests carry that name.
    problem(Code::NotAllowed, "the Host header does not name this machine").into_response()
}

fn unknown_caller() -> Answer {
    let next = "send 'Authorization: Bearer' with the text of the token file in the data folder, or open \
                the link that `opensky dashboard` prints";
    Answer(
        Problem::new(Code::Unauthorized, "the request carries no valid token and no session").with_next(next),
    )
}

/// A session is for the node's own page. A page of another port counts as the same site for cookies, so
/// the browser's word on where the request comes from has to be asked.
fn own_page(headers: &HeaderMap) -> Result<(), Answer> {
    let host = text(headers, header::HOST).unwrap_or_default();
    let is_own =
        |origin: &str| ["http://", "https://"].iter().any(|scheme| origin.strip_prefix(scheme) == Some(host));
    let origin_fits = headers.get(header::ORIGIN).is_none_or(|value| value.to_str().is_ok_and(is_own));
    let site_fits = text(headers, SEC_FETCH_SITE).is_none_or(|site| ["same-origin", "none"].contains(&site));
    if origin_fits && site_fits {
        return Ok(());
    }
    Err(problem(Code::NotAllowed, "the request comes from a page that is not this node's"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn is_local_host(headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, header::HOST) else { return false };
    let name = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
