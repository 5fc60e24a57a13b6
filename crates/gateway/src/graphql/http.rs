//! GraphQL over HTTP, as the draft of the GraphQL foundation's working group says ("GraphQL over HTTP").

use super::{Asking, Graphql, call, document, socket};
use crate::{
    auth::Caller,
    gate::Gate,
    problem::{Outcome, problem},
    socket::Line,
};
use async_graphql::{
    Error, Request, Response as Answered, ServerError, Variables, parser::types::OperationType,
};
use axum::{
    Extension,
    body::Bytes,
    extract::{
        Query,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, Stream, StreamExt, stream};
use opensky_api::{
    Code,
    graphql::{GraphqlQuery, GraphqlRequest},
    routes::IDEMPOTENCY_KEY,
};
use serde_json::{Map, Value, json};
use std::{
    future::ready,
    sync::{Arc, PoisonError},
};
use tokio_util::sync::CancellationToken;

const JSON: &str = "application/json";
/// The newer type, under which a request that is not carried out has a status of 400.
const GRAPHQL_JSON: &str = "application/graphql-response+json";

pub(crate) async fn post(
    Extension(graphql): Extension<Graphql>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Outcome<Response> {
    let request = read(&headers, &body?)?;
    Ok(graphql.respond(caller, &headers, request, &Method::POST).await)
}

/// Queries as a link: what GET asks for changes nothing. With `Upgrade: websocket`, anything, as messages.
pub(crate) async fn get(
    Extension(graphql): Extension<Graphql>,
    Extension(caller): Extension<Caller>,
    Extension(gate): Extension<Gate>,
    Extension(stop): Extension<CancellationToken>,
    line: Line,
    headers: HeaderMap,
    query: Result<Query<GraphqlQuery>, QueryRejection>,
) -> Outcome<Response> {
    if let Some(upgrade) = line.0 {
        return socket::answer(upgrade, graphql, (gate, caller), stop);
    }
    let Query(query) = query?;
    let object = |name: &str, text: Option<String>| match text {
        None => Ok(Map::new()),
        Some(text) => serde_json::from_str::<Map<String, Value>>(&text)
            .map_err(|error| problem(Code::InvalidRequest, format!("'{name}' is no JSON object: {error}"))),
    };
    let request = GraphqlRequest {
        query: query.query,
        operation_name: query.operation_name,
        variables: Some(object("variables", query.variables)?),
        extensions: Some(object("extensions", query.extensions)?),
    };
    Ok(graphql.respond(caller, &headers, whole(request)?, &Method::GET).await)
}

/// A request that says what it asks.
fn whole(request: GraphqlRequest) -> Outcome<GraphqlRequest> {
    let names_a_hash = |extensions: &Map<String, Value>| extensions.contains_key("persistedQuery");
    if request.query.is_none() && !request.extensions.as_ref().is_some_and(names_a_hash) {
        return Err(problem(Code::InvalidRequest, "the request has no 'query'"));
    }
    Ok(request)
}

fn read(headers: &HeaderMap, body: &[u8]) -> Outcome<GraphqlRequest> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(JSON) {
        return Err(problem(Code::InvalidRequest, "the request is not 'Content-Type: application/json'"));
    }
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(problem(Code::InvalidRequest, "one request at a time: several come one after another"));
    }
    whole(serde_json::from_slice(body).map_err(|error| problem(Code::InvalidRequest, error))?)
}

/// A request to be carried out, and what it may still use.
pub(super) struct Prepared {
    request: Request,
    asking: Arc<Asking>,
}

impl Graphql {
    async fn respond(
        &self,
        caller: Caller,
        headers: &HeaderMap,
        request: GraphqlRequest,
        method: &Method,
    ) -> Response {
        let once = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
        let answered = match self.prepare(caller, once, request) {
            Ok((_, kind)) if *method == Method::GET && kind != OperationType::Query => {
                refused(Error::new("GET asks for queries only; send what changes something with POST"))
            }
            Ok((_, OperationType::Subscription)) => {
                refused(Error::new("events come over a WebSocket: ask this route with 'Upgrade: websocket'"))
            }
            Ok((request, _)) => self.execute(request).await,
            Err(error) => refused(error),
        };
        response(answered, headers)
    }

    /// Carries out a query or mutation, unless its answer is too large.
    pub(super) async fn execute(&self, Prepared { request, asking }: Prepared) -> Answered {
        tokio::select! {
            biased;
            problem = asking.budget.overrun() => refused(call::error(&problem)),
            answered = self.schema.execute(request) => answered,
        }
    }

    /// The events of a subscription, until one is too large.
    pub(super) fn subscribe(
        &self,
        Prepared { request, asking }: Prepared,
    ) -> impl Stream<Item = Answered> + use<> {
        let over = Arc::clone(&asking);
        let events = self.schema.execute_stream(request);
        let events = events.take_until(async move { over.budget.overrun().await });
        // Nothing was over where the events ended by themselves.
        let last = stream::once(async move { asking.budget.overrun().now_or_never() });
        events.chain(last.filter_map(|problem| ready(problem.map(|problem| refused(call::error(&problem))))))
    }

    /// A request to be carried out, if it costs little enough.
    pub(super) fn prepare(
        &self,
        caller: Caller,
        once: Option<String>,
        request: GraphqlRequest,
    ) -> Result<(Prepared, OperationType), Error> {
        let extensions = request.extensions.unwrap_or_default();
        let mut persisted = self.persisted.lock().unwrap_or_else(PoisonError::into_inner);
        let text = persisted.text(request.query, &extensions)?;
        drop(persisted);
        let name = request.operation_name.filter(|name| !name.is_empty());
        let (document, kind) = document::read(&text, name.as_deref())?;
        let variables = Variables::from_json(Value::Object(request.variables.unwrap_or_default()));
        let asking = Asking::new(caller, once);
        let mut prepared = Request::new(text).variables(variables).data(Arc::clone(&asking));
        if let Some(name) = name {
            prepared = prepared.operation_name(name);
        }
        prepared.set_parsed_query(document);
        Ok((Prepared { request: prepared, asking }, kind))
    }
}

pub(super) fn refused(error: Error) -> Answered {
    let mut server_error = ServerError::new(error.message, None);
    server_error.extensions = error.extensions;
    Answered::from_errors(vec![server_error])
}

/// Whether a request was refused before anything of it was done.
fn is_refused(answered: &Answered) -> bool {
    answered.data == async_graphql::Value::Null && answered.errors.iter().all(|error| error.path.is_empty())
}

/// What a client reads: without data where none was asked for yet.
pub(super) fn body(answered: &Answered) -> Value {
    let mut body = json!(answered);
    if let (true, Some(body)) = (is_refused(answered), body.as_object_mut()) {
        body.remove("data");
    }
    body
}

fn response(answered: Answered, headers: &HeaderMap) -> Response {
    let kind = accepted(headers);
    let status =
        if kind == GRAPHQL_JSON && is_refused(&answered) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let headers = [
        (header::CONTENT_TYPE, format!("{kind}; charset=utf-8")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (status, headers, body(&answered).to_string()).into_response()
}

/// The first type of the header `Accept` that is answered.
fn accepted(headers: &HeaderMap) -> &'static str {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let is_known = |kind: &&str| [GRAPHQL_JSON, JSON, "*/*", "application/*"].contains(kind);
    match kinds.into_iter().find(is_known) {
        Some(GRAPHQL_JSON) => GRAPHQL_JSON,
        _ => JSON,
    }
}
