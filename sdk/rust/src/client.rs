//! The connection to the local node, and the small calls.

use crate::{ClientError, trust::Trust};
use opensky_api::{
    Problem,
    config::ConfigView,
    doctor::DoctorReport,
    event::FollowQuery,
    limits::{Limits, LimitsView},
    membership::{InviteRequest, InviteView, Invites, Members},
    network::Peers,
    offer::{Clusters, Offers},
    problem::Code,
    receipt::ReceiptView,
    routes,
    session::LinkView,
    status::{NodeView, RenameRequest, Status},
};
use opensky_types::Hash;
use reqwest::{ClientBuilder, Method, RequestBuilder, Response};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a node on this machine may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer that is not a stream may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to the node on this machine. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Scheme, host and port.
    base: String,
    token: String,
}

impl fmt::Debug for Client {
    /// The token stays out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address()).finish_non_exhaustive()
    }
}

/// What a running node says of itself; other fields are its own.
#[derive(Deserialize)]
struct Running {
    api: String,
}

/// The data folder used when none is named: `$OPENSKY_DATA_DIR`, else `$XDG_DATA_HOME/opensky`, else
/// `~/.local/share/opensky`.
pub fn data_dir_default() -> Result<PathBuf, ClientError> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("OPENSKY_DATA_DIR")
        .or_else(|| Some(set("XDG_DATA_HOME")?.join("opensky")))
        .or_else(|| Some(set("HOME")?.join(".local/share/opensky")))
        .ok_or(ClientError::NoHome)
}

impl Client {
    /// A client of the API at `address` (`127.0.0.1:4720`) with its token. Nothing is sent yet.
    pub fn new(address: &str, token: &str) -> Self {
        let http = builder().tls_certs_only([]).build();
        let http = http.expect("a client that trusts no certificate needs nothing from the system");
        Self { http, base: format!("http://{address}"), token: token.trim().to_owned() }
    }

    /// A client of a node on another machine, at a URL such as `https://node.example.com:4720`, with its token
    /// or a key. Nothing is sent yet. Without TLS a token goes to this machine only.
    pub fn remote(url: &str, token: &str, trust: &Trust) -> Result<Self, ClientError> {
        let bad = |problem: &str| ClientError::Url { url: url.to_owned(), problem: problem.to_owned() };
        let parsed = reqwest::Url::parse(url).map_err(|error| bad(&error.to_string()))?;
        let host = parsed.host_str().ok_or_else(|| bad("it names no host"))?;
        let is_bare = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
        if !is_bare || !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(bad("it is more than a scheme, a host and a port"));
        }
        let builder = match parsed.scheme() {
            "https" => trust.apply(builder())?,
            "http" if is_loopback(host) => builder().tls_certs_only([]),
            "http" => return Err(bad("over http everybody on the way could read the token; use https")),
            _ => return Err(bad("its scheme is not https")),
        };
        let http = builder.build().map_err(|error| ClientError::Trust { problem: causes(&error) })?;
        let base = parsed.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base, token: token.trim().to_owned() })
    }

    /// A client of the node that runs with this data folder; reads its address and token there.
    pub fn from_data_dir(data_dir: &Path) -> Result<Self, ClientError> {
        let read = |name: &str| {
            let path = data_dir.join(name);
            std::fs::read_to_string(&path).map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => ClientError::NotRunning { data_dir: data_dir.to_owned() },
                _ => ClientError::File { action: "read", path, source },
            })
        };
        let running: Running = serde_json::from_str(&read(routes::NODE_FILE)?)
            .map_err(|source| bad_answer(routes::NODE_FILE, source))?;
        Ok(Self::new(&running.api, &read(routes::TOKEN_FILE)?))
    }

    /// A client by the environment: `OPENSKY_API_ADDRESS` with `OPENSKY_API_TOKEN`, else the data
    /// folder of [`data_dir_default`].
    pub fn from_env() -> Result<Self, ClientError> {
        match (std::env::var("OPENSKY_API_ADDRESS"), std::env::var("OPENSKY_API_TOKEN")) {
            (Ok(address), Ok(token)) => Ok(Self::new(&address, &token)),
            _ => Self::from_data_dir(&data_dir_default()?),
        }
    }

    /// The API's address: host and port.
    pub fn address(&self) -> &str {
        self.base.split_once("://").map_or(&self.base, |(_, address)| address)
    }

    /// The API's address with its scheme, such as `http://127.0.0.1:4720`.
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// How the node is doing.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get(routes::STATUS).await
    }

    /// The node and its machine.
    pub async fn node(&self) -> Result<NodeView, ClientError> {
        self.get(routes::NODE).await
    }

    /// Connected members.
    pub async fn peers(&self) -> Result<Peers, ClientError> {
        self.get(routes::PEERS).await
    }

    /// Offers that this node knows.
    pub async fn offers(&self) -> Result<Offers, ClientError> {
        self.get(routes::OFFERS).await
    }

    /// Clusters of the sky, as far as this node knows it.
    pub async fn clusters(&self) -> Result<Clusters, ClientError> {
        self.get(routes::CLUSTERS).await
    }

    /// Gives the node another name, now and for later starts.
    pub async fn rename(&self, request: &RenameRequest) -> Result<NodeView, ClientError> {
        self.call(Method::PUT, routes::NODE, Some(request)).await
    }

    /// The owner's limits.
    pub async fn limits(&self) -> Result<LimitsView, ClientError> {
        self.get(routes::LIMITS).await
    }

    /// Changes the owner's limits; holds at once and over restarts.
    pub async fn set_limits(&self, limits: &Limits) -> Result<LimitsView, ClientError> {
        self.call(Method::PUT, routes::LIMITS, Some(limits)).await
    }

    /// The effective configuration.
    pub async fn config(&self) -> Result<ConfigView, ClientError> {
        self.get(routes::CONFIG).await
    }

    /// What the node finds when it checks itself.
    pub async fn doctor(&self) -> Result<DoctorReport, ClientError> {
        self.get(routes::DOCTOR).await
    }

    /// A new invite.
    pub async fn invite(&self, request: &InviteRequest) -> Result<InviteView, ClientError> {
        self.call(Method::POST, routes::INVITES, Some(request)).await
    }

    /// Invites of this node.
    pub async fn invites(&self) -> Result<Invites, ClientError> {
        self.get(routes::INVITES).await
    }

    /// Members that this node knows.
    pub async fn members(&self) -> Result<Members, ClientError> {
        self.get(routes::MEMBERS).await
    }

    /// A receipt with its proof, checked here.
    pub async fn receipt(&self, id: Hash) -> Result<ReceiptView, ClientError> {
        let view: ReceiptView = self.get(&routes::receipt(id)).await?;
        view.verify()?;
        Ok(view)
    }

    /// The node's own log; with `follow` the answer does not end.
    pub async fn logs(&self, query: &FollowQuery) -> Result<Response, ClientError> {
        self.stream(self.request(Method::GET, routes::LOGS).query_with(query)).await
    }

    /// A link that logs one browser in to the dashboard, once.
    pub async fn login_link(&self) -> Result<LinkView, ClientError> {
        self.call::<(), _>(Method::POST, routes::SESSION_LINKS, None).await
    }

    /// Asks the node to stop. It finishes what it must keep, then ends.
    pub async fn stop(&self) -> Result<(), ClientError> {
        self.send(self.request(Method::POST, routes::STOP).timeout(CALL_TIMEOUT)).await.map(drop)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call::<(), T>(Method::GET, path, None).await
    }

    pub(crate) async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, ClientError> {
        let mut request = self.request(method, path).timeout(CALL_TIMEOUT);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.json(path, request).await
    }

    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        what: &str,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        let answer = self.send(request).await?;
        answer.json().await.map_err(|source| bad_answer(what, source))
    }

    /// Sends a request whose answer is a stream: only its start has a time limit.
    pub(crate) async fn stream(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        self.send(request).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(|source| {
            if source.is_connect() {
                ClientError::Unreachable { address: self.address().to_owned(), source }
            } else {
                bad_answer("the request", source)
            }
        })?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        // Something else may listen on the port: an answer that is no problem is shown by its status.
        let problem = answer.json::<Problem>().await.unwrap_or_else(|_| {
            Problem::new(Code::Unknown, format!("{} answered with status {status}", self.address()))
        });
        Err(problem.into())
    }
}

/// Follows no redirect: it would carry the token to wherever the answer says.
fn builder() -> ClientBuilder {
    let redirects = reqwest::redirect::Policy::none();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(redirects)
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
}

fn is_loopback(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

fn causes(error: &reqwest::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

pub(crate) fn bad_answer(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> ClientError {
    ClientError::BadAnswer { what: what.to_owned(), source: Box::new(source) }
}

/// Queries from the API's own types. reqwest's `query` is behind a feature that nothing else needs.
pub(crate) trait QueryWith {
    fn query_with(self, query: &impl Serialize) -> Self;
}

impl QueryWith for RequestBuilder {
    fn query_with(self, query: &impl Serialize) -> Self {
        let fields = match serde_json::to_value(query) {
            Ok(serde_json::Value::Object(fields)) => fields,
            other => unreachable!("a query is a struct of plain fields, not {other:?}"),
        };
        let (client, request) = self.build_split();
        let mut request = request.expect("the request was valid before its query");
        let mut pairs = request.url().query_pairs().count();
        for (key, value) in fields {
            let text = match value {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            request.url_mut().query_pairs_mut().append_pair(&key, &text);
            pairs += 1;
        }
        if pairs == 0 {
            request.url_mut().set_query(None);
        }
        Self::from_parts(client, request)
    }
}
