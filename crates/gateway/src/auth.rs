//! Who may use the API, and for what: whoever holds the token, browsers with a session, and whoever holds a
//! key, as far as its role goes; all from this machine's own names only.

use crate::{
    keys::KeyRing,
    problem::{Answer, Outcome, problem},
    rest::now,
    sessions::{Opener, Sessions},
};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use opensky_api::{
    Code, Problem,
    key::Role,
    session::{CSRF_HEADER, CSRF_VALUE},
};
use opensky_node::Handle;
use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::Instant,
};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex as AsyncMutex;
use zeroize::Zeroizing;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the keys are kept under; the number is that of their format.
pub(crate) const KEYS_SETTING: &str = "api-keys/1";

/// The secret that opens the API. Has no `Debug`.
#[derive(Clone)]
pub struct Token(Arc<Zeroizing<String>>);

impl Token {
    /// A token from its text.
    pub fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    fn is(&self, shown: &str) -> bool {
        shown.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Whoever can read the token file.
    Token,
    /// Whoever holds an API key.
    Key { name: Arc<str>, role: Role },
    /// A browser that the token's holder logged in, or whoever holds the key of this name.
    Session { ends: Instant, role: Role, key: Option<Arc<str>> },
    /// Somebody without any of these, at a route that needs none.
    Nobody,
}

impl Caller {
    /// What the caller may do.
    pub(crate) const fn role(&self) -> Option<Role> {
        match self {
            Self::Token => Some(Role::Owner),
            Self::Key { role, .. } | Self::Session { role, .. } => Some(*role),
            Self::Nobody => None,
        }
    }
}

impl fmt::Display for Caller {
    /// As the audit log names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token => f.write_str("token"),
            Self::Key { name, .. } => write!(f, "key {name}"),
            Self::Session { key: None, .. } => f.write_str("session"),
            Self::Session { key: Some(name), .. } => write!(f, "session of key {name}"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it can be asked without token, key and session.
    Nothing,
    /// This role, or one that may do more.
    Role(Role),
}

/// Needs of reading.
pub(crate) const VIEWER: Needs = Needs::Role(Role::Viewer);
/// Needs of work.
pub(crate) const OPERATOR: Needs = Needs::Role(Role::Operator);
/// Needs of money, membership and the node itself.
pub(crate) const OWNER: Needs = Needs::Role(Role::Owner);

/// What tells callers apart.
#[derive(Clone)]
pub(crate) struct Door {
    token: Token,
    keys: Arc<RwLock<KeyRing>>,
    /// Held while the keys are changed, over the write to disk.
    changing_keys: Arc<AsyncMutex<()>>,
    sessions: Arc<Mutex<Sessions>>,
    cookie: Arc<str>,
}

impl Door {
    /// Browsers send cookies to every port of a machine, so the cookie's name tells nodes apart.
    pub(crate) fn new(token: Token, keys: KeyRing, port: u16) -> Self {
        Self {
            token,
            keys: Arc::new(RwLock::new(keys)),
            changing_keys: Arc::default(),
            sessions: Arc::default(),
            cookie: format!("opensky-session-{port}").into(),
        }
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the keys; the change is on disk before it holds.
    pub(crate) async fn change_keys<T>(
        &self,
        handle: &Handle,
        change: impl FnOnce(&mut KeyRing) -> Outcome<T>,
    ) -> Outcome<T> {
        let _one_at_a_time = self.changing_keys.lock().await;
        let mut ring = self.keys().clone();
        let changed = change(&mut ring)?;
        handle.keep(KEYS_SETTING, ring.encode()).await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(changed)
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

    /// Who sent a request, or why nobody that is known here did.
    pub(crate) fn caller(&self, request: &Request, needs: Needs) -> Outcome<Caller> {
        let headers = request.headers();
        if headers.contains_key(header::AUTHORIZATION) {
            return self.bearer(headers).ok_or_else(unknown_caller);
        }
        if needs == Needs::Nothing {
            return own_page(headers).map(|()| Caller::Nobody);
        }
        let session = self.session_of(headers).ok_or_else(unknown_caller)?;
        let open = self.sessions().find(session, Instant::now()).cloned().ok_or_else(unknown_caller)?;
        let (role, key) = self.standing(&open.opener).ok_or_else(unknown_caller)?;
        own_page(headers)?;
        if changes(request.method()) && headers.get(CSRF_HEADER).is_none_or(|value| value != CSRF_VALUE) {
            return Err(problem(Code::NotAllowed, format!("the header {CSRF_HEADER} is missing")));
        }
        Ok(Caller::Session { ends: open.ends, role, key })
    }

    /// What a session may do now, and the name of its key; `None` once its key works no longer.
    pub(crate) fn standing(&self, opener: &Opener) -> Option<(Role, Option<Arc<str>>)> {
        match opener {
            Opener::Token => Some((Role::Owner, None)),
            Opener::Key { name, created_at } => {
                let key = self.keys().working(name, *created_at, now())?;
                Some((key.role, Some(name.clone())))
            }
        }
    }

    /// Whose secret the request carries: the token, or a key that works.
    fn bearer(&self, headers: &HeaderMap) -> Option<Caller> {
        let shown = text(headers, header::AUTHORIZATION)?.strip_prefix("Bearer ")?;
        if self.token.is(shown) {
            return Some(Caller::Token);
        }
        let key = self.keys().find(shown, now())?;
        Some(Caller::Key { name: key.name.into(), role: key.role })
    }
}

/// Whether a caller may what needs this.
pub(crate) fn allowed(caller: &Caller, needs: Needs) -> Outcome<()> {
    let (Needs::Role(least), role) = (needs, caller.role()) else { return Ok(()) };
    if role >= Some(least) {
        return Ok(());
    }
    let has = role.map_or("no role", Role::as_str);
    let next = format!("ask the owner for a key that may: opensky keys create NAME --role {least}");
    Err(Answer(
        Problem::new(Code::NotAllowed, format!("this needs the role {least}; {caller} has {has}"))
            .with_next(next),
    ))
}

/// Whether a method is for more than reading.
pub(crate) fn changes(method: &Method) -> bool {
    ![Method::GET, Method::HEAD].contains(method)
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
    let next = "send 'Authorization: Bearer' with the text of the token file in the data folder or with a key \
                of `opensky keys create`, or open the link that `opensky dashboard` prints";
    let detail = "the request carries no token, key or session that works";
    Answer(Problem::new(Code::Unauthorized, detail).with_next(next))
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
