//! A route asked inside this process: the same handler, behind the same gate.

use super::{Asking, shapes::taken};
use crate::{auth::Caller, rest::Told};
use async_graphql::{Error, ErrorExtensions, Value as GraphValue, dynamic::ResolverContext};
use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use opensky_api::{Code, Problem, routes::IDEMPOTENCY_KEY};
use opensky_types::{Hash, codec};
use serde_json::{Map, Value};
use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};
use tokio::sync::mpsc;
use tower::ServiceExt;

/// Most calls of routes that one request may make, those for each item of a list among them.
const CALLS_MAX: usize = 100;

/// A caller that the gate let through already, on a request that comes from inside. No header can say so.
#[derive(Clone)]
pub(crate) struct Vouched(pub(crate) Caller);

/// Where events go that are wanted inside, instead of into an answer.
#[derive(Clone, Default)]
pub(crate) struct Relay(Arc<Mutex<Option<mpsc::Receiver<Told>>>>);

impl Relay {
    /// Hands the events over.
    pub(crate) fn hand_over(&self, events: mpsc::Receiver<Told>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(events);
    }

    fn take(&self) -> Option<mpsc::Receiver<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A route, as described.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: String,
    /// Parameters of the path and after the `?`: name, and whether it is in the path.
    pub(super) parameters: Vec<(String, bool)>,
    /// The schema of its body.
    pub(super) body: Option<Value>,
    /// Whether it heeds an `Idempotency-Key`.
    pub(super) is_once: bool,
}

/// The routes, and the shapes that they name.
pub(super) struct Routes {
    pub(super) router: Router,
    pub(super) schemas: Map<String, Value>,
}

/// The name of the argument that holds a route's body.
pub(super) const INPUT: &str = "input";

impl Routes {
    /// What a route answers; `true` where it answers nothing.
    pub(super) async fn ask(
        &self,
        context: &ResolverContext<'_>,
        operation: &Operation,
        arguments: Map<String, Value>,
    ) -> Result<GraphValue, Error> {
        let answer = self.answer(context, operation, arguments, None).await?;
        let status = answer.status();
        let bytes = read(context.data::<Arc<Asking>>()?, answer).await?;
        if status == StatusCode::NO_CONTENT || bytes.is_empty() {
            return Ok(GraphValue::Boolean(true));
        }
        let json = serde_json::from_slice::<Value>(&bytes).map_err(|_| internal("the answer is not JSON"))?;
        GraphValue::from_json(json).map_err(|_| internal("the answer is no value"))
    }

    /// The events of a route that streams them.
    pub(super) async fn listen(
        &self,
        context: &ResolverContext<'_>,
        operation: &Operation,
        arguments: Map<String, Value>,
    ) -> Result<mpsc::Receiver<Told>, Error> {
        let relay = Relay::default();
        self.answer(context, operation, arguments, Some(relay.clone())).await?;
        relay.take().ok_or_else(|| internal("the route gave no events"))
    }

    async fn answer(
        &self,
        context: &ResolverContext<'_>,
        operation: &Operation,
        arguments: Map<String, Value>,
        relay: Option<Relay>,
    ) -> Result<Response, Error> {
        let asking = context.data::<Arc<Asking>>()?;
        if asking.calls.fetch_add(1, Ordering::Relaxed) >= CALLS_MAX {
            let detail = format!("the request asks for more than {CALLS_MAX} things of the node");
            return Err(error(&Problem::new(Code::TooLarge, detail).with_next("ask for fewer at a time")));
        }
        let mut request = self.request(operation, arguments)?;
        if let (true, Some(key)) = (operation.is_once, &asking.once) {
            let place = context.ctx.path_node.map(|path| path.to_string_vec()).unwrap_or_default();
            request.headers_mut().insert(IDEMPOTENCY_KEY, key_of(key, &place));
        }
        request.extensions_mut().insert(Vouched(asking.caller.clone()));
        if let Some(relay) = relay {
            request.extensions_mut().insert(relay);
        }
        let answer = match self.router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        let problem = serde_json::from_slice::<Problem>(&read(asking, answer).await?);
        Err(error(&problem.unwrap_or_else(|_| Problem::new(Code::Internal, "a problem that cannot be read"))))
    }

    fn request(
        &self,
        operation: &Operation,
        mut arguments: Map<String, Value>,
    ) -> Result<Request<Body>, Error> {
        let body = operation.body.as_ref().map(|schema| {
            let input = arguments.remove(INPUT).unwrap_or(Value::Null);
            taken(&self.schemas, schema, input).to_string()
        });
        let (mut path, mut query) = (operation.path.clone(), String::new());
        for (name, is_in_path) in &operation.parameters {
            let Some(value) = arguments.remove(name).filter(|value| !value.is_null()) else { continue };
            let text = encoded(&match value {
                Value::String(text) => text,
                other => other.to_string(),
            });
            if *is_in_path {
                path = path.replace(&format!("{{{name}}}"), &text);
            } else {
                let mark = if query.is_empty() { '?' } else { '&' };
                let _ = write!(query, "{mark}{name}={text}");
            }
        }
        let request = Request::builder().method(operation.method.clone()).uri(path + &query);
        let request =
            request.header(header::HOST, "localhost").header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(body.unwrap_or_default())).map_err(|_| internal("the request cannot be made"))
    }
}

/// The key of one field of a request with a key.
fn key_of(key: &str, place: &[String]) -> header::HeaderValue {
    let text = hex::encode(Hash::of(&codec::encode(&(key, place))).as_bytes());
    header::HeaderValue::from_str(&text).expect("hex is visible ASCII")
}

async fn read(asking: &Asking, answer: Response) -> Result<Vec<u8>, Error> {
    asking.budget.read(answer.into_body()).await.map_err(|problem| error(&problem))
}

/// All but letters, digits and `-._~`, as RFC 3986 says.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn internal(what: &str) -> Error {
    error(&Problem::new(Code::Internal, what))
}

/// A problem as GraphQL tells it.
pub(super) fn error(problem: &Problem) -> Error {
    let next = problem.next.clone();
    Error::new(problem.detail.clone()).extend_with(|_, extensions| {
        extensions.set("code", problem.code.as_str());
        extensions.set("status", problem.status);
        extensions.set("title", problem.title.as_str());
        extensions.set("type", problem.type_uri.as_str());
        if let Some(next) = next {
            extensions.set("next", next);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w4_no_argument_leaves_its_place_in_a_path() {
        let operation = Operation {
            method: Method::GET,
            path: "/v1/jobs/{job}/runs".into(),
            parameters: vec![("job".into(), true), ("limit".into(), false)],
            body: None,
            is_once: false,
        };
        let routes = Routes { router: Router::new(), schemas: Map::new() };
        let arguments = |job: &str| {
            let arguments = serde_json::json!({ "job": job, "limit": 7, "other": 1 });
            arguments.as_object().cloned().expect("an object")
        };
        let asked =
            |job: &str| routes.request(&operation, arguments(job)).expect("a request").uri().to_string();
        assert_eq!(asked("abc"), "/v1/jobs/abc/runs?limit=7");
        assert_eq!(asked("../../keys?x#y"), "/v1/jobs/..%2F..%2Fkeys%3Fx%23y/runs?limit=7");
    }

    #[test]
    fn each_field_has_a_key_of_its_own() {
        let place = |field: &str| vec![field.to_owned()];
        assert_eq!(key_of("a", &place("x")), key_of("a", &place("x")));
        assert_ne!(key_of("a", &place("x")), key_of("a", &place("y")));
        assert_ne!(key_of("a", &place("x")), key_of("b", &place("x")));
    }
}
