//! Who may use the API, and for what: whoever holds the token or a key, as far as its role goes, and browsers
//! with a session that the token's link, a key or a wallet opened.

use crate::{
    keys::KeyRing,
    problem::{Answer, Outcome, problem},
    reach::Reach,
    rest::now,
    sessions::{self, Open, Opener, Sessions},
    spending::{Spending, unlimited_only},
    wallets::{Challenges, WalletRing},
};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, Method, header},
};
use opensky_api::{
    Code, Problem,
    key::{KeyRequest, KeyView, Role},
    session::{CSRF_HEADER, CSRF_VALUE},
};
use opensky_node::Handle;
use opensky_types::{Hash, Micros, Timestamp, codec::DecodeError};
use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

/// What the keys are kept under; the number is that of their format.
const KEYS_SETTING: &str = "api-keys/1";

/// What the wallets that may log in are kept under.
const WALLETS_SETTING: &str = "wallet-logins/1";

/// What keys may spend, and did, is kept under.
const SPENDING_SETTING: &str = "api-key-spending/1";

/// How often it is asked who stands behind what stays open.
pub(crate) const ASK_EVERY: Duration = Duration::from_secs(20);

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
    /// Whoever holds an API key; two that had one name in turn were made at different times.
    Key {
        name: Arc<str>,
        created_at: Timestamp,
        role: Role,
        /// Whether what it may spend is limited.
        is_limited: bool,
    },
    /// A browser that somebody logged in who has the token, a key or a wallet that the owner named.
    Session { hash: Hash, ends: Instant, role: Role, opener: Opener },
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

    /// Since when somebody has the name that [`fmt::Display`] shows, where another may have had it before.
    pub(crate) const fn named_at(&self) -> Option<Timestamp> {
        match self {
            Self::Key { created_at, .. }
            | Self::Session {
                opener: Opener::Key { created_at, .. } | Opener::Wallet { created_at, .. },
                ..
            } => Some(*created_at),
            Self::Session { opener: Opener::Token, .. } | Self::Token | Self::Nobody => None,
        }
    }
}

impl fmt::Display for Caller {
    /// As the audit log names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token => f.write_str("token"),
            Self::Key { name, .. } => write!(f, "key {name}"),
            Self::Session { opener: Opener::Token, .. } => f.write_str("session"),
            Self::Session { opener: Opener::Key { name, .. }, .. } => write!(f, "session of key {name}"),
            Self::Session { opener: Opener::Wallet { address, .. }, .. } => write!(f, "wallet {address}"),
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

/// What was kept of who may do what.
pub(crate) struct KeptRings {
    pub(crate) keys: KeyRing,
    pub(crate) wallets: WalletRing,
    pub(crate) spending: Spending,
}

impl KeptRings {
    /// What the node has of it.
    pub(crate) async fn read(handle: &Handle) -> io::Result<Self> {
        let keys: KeyRing = kept(handle, KEYS_SETTING, KeyRing::decode).await?;
        let wallets = kept(handle, WALLETS_SETTING, WalletRing::decode).await?;
        let mut spending: Spending = kept(handle, SPENDING_SETTING, Spending::decode).await?;
        // A node that stopped in the middle of a change may have kept more.
        spending.retain(|name| keys.has(name));
        Ok(Self { keys, wallets, spending })
    }
}

/// What was kept under `name`, if anything was.
async fn kept<T: Default>(
    handle: &Handle,
    name: &'static str,
    decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
) -> io::Result<T> {
    let failed = |problem: String| io::Error::other(format!("'{name}' cannot be read: {problem}"));
    let kept = handle.kept(name).await.map_err(|error| failed(error.to_string()))?;
    let read = kept.map(|bytes| decode(&bytes)).transpose();
    Ok(read.map_err(|error| failed(error.to_string()))?.unwrap_or_default())
}

/// What tells callers apart.
#[derive(Clone)]
pub(crate) struct Door {
    token: Token,
    keys: Arc<RwLock<KeyRing>>,
    wallets: Arc<RwLock<WalletRing>>,
    challenges: Arc<Mutex<Challenges>>,
    spending: Arc<RwLock<Spending>>,
    /// Held while keys, their limits or wallets are changed, over the writes to disk.
    changing_keys: Arc<AsyncMutex<()>>,
    /// The same for what keys spend; taken after that of keys, where both are held.
    changing_spending: Arc<AsyncMutex<()>>,
    sessions: Arc<Mutex<Sessions>>,
    cookie: Arc<str>,
    /// Changes that are being made, and what else goes on beside its request.
    pub(crate) tasks: TaskTracker,
}

impl Door {
    /// Browsers send cookies to every port of a machine, so the cookie's name tells nodes apart.
    pub(crate) fn new(token: Token, kept: KeptRings, port: u16) -> Self {
        let KeptRings { keys, wallets, spending } = kept;
        Self {
            token,
            keys: Arc::new(RwLock::new(keys)),
            wallets: Arc::new(RwLock::new(wallets)),
            challenges: Arc::default(),
            spending: Arc::new(RwLock::new(spending)),
            changing_keys: Arc::default(),
            changing_spending: Arc::default(),
            sessions: Arc::default(),
            cookie: format!("opensky-session-{port}").into(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change to its end, though whoever asked for it may go away: nothing is on disk that is not in
    /// memory afterwards.
    async fn to_the_end<T: Send + 'static>(
        &self,
        change: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Outcome<T> {
        self.tasks.spawn(change).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a change of keys or wallets failed on its way");
            Err(problem(Code::Internal, "the change failed on its way; look what came of it"))
        })
    }

    /// Makes a key with its limit; both are on disk before the key works, the limit first: nothing is spent
    /// without it. Limits of keys that are gone go too.
    pub(crate) async fn add_key(
        &self,
        handle: &Handle,
        request: KeyRequest,
        secret: Zeroizing<String>,
        now: Timestamp,
    ) -> Outcome<KeyView> {
        let (door, handle) = (self.clone(), handle.clone());
        self.to_the_end(async move { door.key_added(&handle, request, &secret, now).await }).await
    }

    async fn key_added(
        &self,
        handle: &Handle,
        request: KeyRequest,
        secret: &str,
        now: Timestamp,
    ) -> Outcome<KeyView> {
        let _one_at_a_time = self.changing_keys.lock().await;
        let (mut ring, limit) = (self.keys().clone(), request.spend);
        let mut key = ring.add(request, secret, now)?;
        let set = |spending: &mut Spending| {
            spending.retain(|name| ring.has(name));
            spending.set(&key.name, limit, now);
            Ok(())
        };
        self.change_spending(handle, set).await?;
        self.keep_keys(handle, ring).await?;
        key.spend = self.spending().view(&key.name, now);
        Ok(key)
    }

    /// Makes a key work no longer, then forgets its limit.
    pub(crate) async fn remove_key(&self, handle: &Handle, name: &str) -> Outcome<()> {
        let (door, handle, name) = (self.clone(), handle.clone(), name.to_owned());
        self.to_the_end(async move { door.key_removed(&handle, &name).await }).await
    }

    async fn key_removed(&self, handle: &Handle, name: &str) -> Outcome<()> {
        let _one_at_a_time = self.changing_keys.lock().await;
        let mut ring = self.keys().clone();
        ring.remove(name)?;
        self.keep_keys(handle, ring.clone()).await?;
        let forget = |spending: &mut Spending| {
            spending.retain(|name| ring.has(name));
            Ok(())
        };
        if let Err(Answer(problem)) = self.change_spending(handle, forget).await {
            // The key is gone, which was asked; the next change of keys tries again.
            tracing::warn!(name, problem = problem.detail, "the limit of a revoked key is still kept");
        }
        Ok(())
    }

    /// Only inside [`Self::to_the_end`], with `changing_keys` held.
    async fn keep_keys(&self, handle: &Handle, ring: KeyRing) -> Outcome<()> {
        handle.keep(KEYS_SETTING, ring.encode()).await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    pub(crate) fn challenges(&self) -> MutexGuard<'_, Challenges> {
        self.challenges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wallets(&self) -> RwLockReadGuard<'_, WalletRing> {
        self.wallets.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn spending(&self) -> RwLockReadGuard<'_, Spending> {
        self.spending.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what keys may spend or have spent; the change is on disk before it holds.
    pub(crate) async fn change_spending<T>(
        &self,
        handle: &Handle,
        change: impl FnOnce(&mut Spending) -> Outcome<T>,
    ) -> Outcome<T> {
        let _one_at_a_time = self.changing_spending.lock().await;
        let mut spending = self.spending().clone();
        let changed = change(&mut spending)?;
        handle.keep(SPENDING_SETTING, spending.encode()).await?;
        *self.spending.write().unwrap_or_else(PoisonError::into_inner) = spending;
        Ok(changed)
    }

    /// Does what may cost this caller so much, if it may spend that. What is refused costs nothing.
    pub(crate) async fn spend<T>(
        &self,
        handle: &Handle,
        caller: &Caller,
        amount: Micros,
        doing: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        let Caller::Key { name, is_limited: true, .. } = caller else { return doing.await };
        let count = |spending: &mut Spending| spending.count(name, amount, now());
        // A limit that is gone went with its key.
        let counted = self.change_spending(handle, count).await?.ok_or_else(unknown_caller)?;
        let done = doing.await;
        // After a failure of the node nobody knows what was done.
        if let Err(Answer(problem)) = &done
            && ![Code::Internal, Code::TimedOut, Code::ShuttingDown].contains(&problem.code)
        {
            let give_back = |spending: &mut Spending| {
                spending.give_back(&counted);
                Ok(())
            };
            self.change_spending(handle, give_back).await?;
        }
        done
    }

    /// Changes which wallets may log in; the change is on disk before it holds.
    pub(crate) async fn change_wallets(
        &self,
        handle: &Handle,
        change: impl FnOnce(&mut WalletRing) -> Outcome<()> + Send + 'static,
    ) -> Outcome<()> {
        let (door, handle) = (self.clone(), handle.clone());
        self.to_the_end(async move {
            let _one_at_a_time = door.changing_keys.lock().await;
            let mut ring = door.wallets().clone();
            change(&mut ring)?;
            handle.keep(WALLETS_SETTING, ring.encode()).await?;
            *door.wallets.write().unwrap_or_else(PoisonError::into_inner) = ring;
            Ok(())
        })
        .await
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
        let reach = request.extensions().get::<Reach>().unwrap_or(&Reach::LOCAL);
        if headers.contains_key(header::AUTHORIZATION) {
            return self.bearer(headers).ok_or_else(unknown_caller);
        }
        if needs == Needs::Nothing {
            return reach.own_page(headers).map(|()| Caller::Nobody);
        }
        let session = self.session_of(headers).ok_or_else(unknown_caller)?;
        let caller = self.of_session(sessions::hash_of(session)).ok_or_else(unknown_caller)?;
        reach.own_page(headers)?;
        if changes(request.method()) && headers.get(CSRF_HEADER).is_none_or(|value| value != CSRF_VALUE) {
            return Err(problem(Code::NotAllowed, format!("the header {CSRF_HEADER} is missing")));
        }
        Ok(caller)
    }

    /// Who a caller is now that was let in before; or why nobody, once its key, session or wallet opens
    /// nothing any more.
    pub(crate) fn still(&self, caller: &Caller) -> Outcome<Caller> {
        let now = match caller {
            Caller::Token | Caller::Nobody => Some(caller.clone()),
            Caller::Key { name, created_at, .. } => {
                let key = self.keys().working(name, *created_at, now());
                key.map(|key| self.of_key(key))
            }
            Caller::Session { hash, .. } => self.of_session(*hash),
        };
        now.ok_or_else(unknown_caller)
    }

    /// Ends once nobody stands behind a caller any more.
    pub(crate) async fn gone(self, caller: Caller) {
        while self.still(&caller).is_ok() {
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn of_session(&self, hash: Hash) -> Option<Caller> {
        let Open { opener, ends, .. } = self.sessions().find(&hash, Instant::now())?.clone();
        let role = self.standing(&opener)?;
        Some(Caller::Session { hash, ends, role, opener })
    }

    fn of_key(&self, key: KeyView) -> Caller {
        let is_limited = self.spending().limits(&key.name);
        Caller::Key { name: key.name.into(), created_at: key.created_at, role: key.role, is_limited }
    }

    /// What a session may do now; `None` once its key or wallet opens nothing any more. A key whose spending
    /// is counted has no sessions: what they spend would not be.
    pub(crate) fn standing(&self, opener: &Opener) -> Option<Role> {
        match opener {
            Opener::Token => Some(Role::Owner),
            Opener::Key { name, created_at } => {
                let key = self.keys().working(name, *created_at, now())?;
                (!self.spending().limits(name)).then_some(key.role)
            }
            Opener::Wallet { address, created_at } => self.wallets().working(address, *created_at),
        }
    }

    /// Whose secret the request carries: the token, or a key that works.
    fn bearer(&self, headers: &HeaderMap) -> Option<Caller> {
        let shown = text(headers, header::AUTHORIZATION)?.strip_prefix("Bearer ")?;
        if self.token.is(shown) {
            return Some(Caller::Token);
        }
        let key = self.keys().find(shown, now());
        key.map(|key| self.of_key(key))
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

/// Whether a caller may do what has no price to be counted.
pub(crate) fn uncounted(caller: &Caller, what: &str) -> Outcome<()> {
    match caller {
        Caller::Key { name, is_limited: true, .. } => Err(unlimited_only(name, what)),
        _ => Ok(()),
    }
}

/// Whether a method is for more than reading.
pub(crate) fn changes(method: &Method) -> bool {
    ![Method::GET, Method::HEAD].contains(method)
}

pub(crate) fn unknown_caller() -> Answer {
    let next = "send 'Authorization: Bearer' with the text of the token file in the data folder or with a key \
                of `opensky keys create`, or open the link that `opensky dashboard` prints";
    let detail = "the request carries no token, key or session that works";
    Answer(Problem::new(Code::Unauthorized, detail).with_next(next))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
