//! One route: where it is, what serves it, what it takes and answers. The router and the description of
//! the API are made of the same table, so that neither knows a route that the other does not.

use crate::{
    Gateway,
    auth::Needs,
    gate::{self, Gate, Passage},
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    http::Method,
    middleware,
    routing::{MethodFilter, MethodRouter, on},
};
use opensky_api::{
    Code,
    routes::{IDEMPOTENCY_KEY, PROBLEM_CONTENT_TYPE},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{RefOr, Schema, path::ParameterIn},
};

const JSON: &str = "application/json";

/// A route of one method.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) about: About,
    handler: MethodRouter<Gateway>,
}

/// All routes.
#[derive(Default)]
pub(crate) struct Table(Vec<Route>);

impl Table {
    /// A route that reads. Answers HEAD too.
    pub(crate) fn get<H, T>(self, path: &'static str, needs: Needs, handler: H, about: About) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        self.add(Method::GET, path, needs, handler, about)
    }

    pub(crate) fn post<H, T>(self, path: &'static str, needs: Needs, handler: H, about: About) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        self.add(Method::POST, path, needs, handler, about)
    }

    pub(crate) fn put<H, T>(self, path: &'static str, needs: Needs, handler: H, about: About) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        self.add(Method::PUT, path, needs, handler, about)
    }

    pub(crate) fn delete<H, T>(self, path: &'static str, needs: Needs, handler: H, about: About) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        self.add(Method::DELETE, path, needs, handler, about)
    }

    fn add<H, T>(mut self, method: Method, path: &'static str, needs: Needs, handler: H, about: About) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("one of the four methods above");
        self.0.push(Route { method, path, needs, about, handler: on(filter, handler) });
        self
    }

    /// They, in order.
    pub(crate) fn routes(&self) -> &[Route] {
        &self.0
    }

    /// What serves them, each behind its guard.
    pub(crate) fn into_router(self, gate: &Gate) -> Router<Gateway> {
        self.0.into_iter().fold(Router::new(), |router, route| {
            let mut handler = route.handler;
            if route.about.is_once {
                handler = handler.layer(middleware::from_fn_with_state(gate.clone(), gate::once));
            }
            if route.about.body_is_stream {
                // It is bounded by the blob store's cap instead.
                handler = handler.layer(DefaultBodyLimit::disable());
            }
            let passage = Passage {
                gate: gate.clone(),
                route: route.path,
                needs: route.needs,
                is_timed: !route.about.body_is_stream,
            };
            router.route(route.path, guarded(handler, passage))
        })
    }
}

/// A handler that is reached through the gate only.
pub(crate) fn guarded(handler: MethodRouter<Gateway>, passage: Passage) -> MethodRouter<Gateway> {
    handler.layer(middleware::from_fn_with_state(passage, gate::guard))
}

/// What a route is for, takes and answers, in the words of OpenAPI.
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Value>,
    /// By status.
    pub(crate) answers: BTreeMap<u16, Value>,
    pub(crate) problems: Vec<Code>,
    /// Every shape that it names.
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    /// Whether its body goes to disk as it comes, whatever its length.
    body_is_stream: bool,
    /// Whether it heeds an `Idempotency-Key`.
    pub(crate) is_once: bool,
}

/// A route's description: the name of its operation, and what it is for in a sentence.
pub(crate) const fn about(name: &'static str, summary: &'static str) -> About {
    About {
        name,
        summary,
        parameters: Vec::new(),
        body: None,
        answers: BTreeMap::new(),
        problems: Vec::new(),
        schemas: Vec::new(),
        body_is_stream: false,
        is_once: false,
    }
}

impl About {
    /// Takes these parameters after the `?`.
    pub(crate) fn query<T: IntoParams + ToSchema>(mut self) -> Self {
        T::schemas(&mut self.schemas);
        let parameters = T::into_params(|| Some(ParameterIn::Query));
        self.parameters.extend(parameters.iter().map(|parameter| json!(parameter)));
        self
    }

    /// Heeds this header, if it comes.
    pub(crate) fn header(mut self, name: &str, description: &str) -> Self {
        let schema = json!({ "type": "string" });
        self.parameters.push(
            json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema }),
        );
        self
    }

    /// Takes this as JSON.
    pub(crate) fn takes<T: ToSchema>(mut self) -> Self {
        let schema = self.reference::<T>();
        self.body = Some(json!({ "required": true, "content": { JSON: { "schema": schema } } }));
        self
    }

    /// Takes bytes of any length.
    pub(crate) fn takes_bytes(mut self, description: &str) -> Self {
        let content = json!({ "application/octet-stream": {} });
        self.body_is_stream = true;
        self.body = Some(json!({ "required": true, "description": description, "content": content }));
        self
    }

    /// Answers this as JSON, with status 200.
    pub(crate) fn answers<T: ToSchema>(self) -> Self {
        self.answers_as::<T>(200)
    }

    /// Answers this as JSON, with status 201.
    pub(crate) fn creates<T: ToSchema>(self) -> Self {
        self.answers_as::<T>(201)
    }

    fn answers_as<T: ToSchema>(mut self, status: u16) -> Self {
        let schema = self.reference::<T>();
        let answer = json!({ "description": T::name(), "content": { JSON: { "schema": schema } } });
        self.answers.insert(status, answer);
        self
    }

    /// Answers nothing but a status.
    pub(crate) fn answers_nothing(mut self, status: u16, description: &str) -> Self {
        self.answers.insert(status, json!({ "description": description }));
        self
    }

    /// Answers bytes, as they are or as they come.
    pub(crate) fn answers_bytes(mut self, content_type: &str, description: &str) -> Self {
        let answer = json!({ "description": description, "content": { content_type: {} } });
        self.answers.insert(200, answer);
        self
    }

    /// Answers server-sent events.
    pub(crate) fn streams<T: ToSchema>(mut self, description: &str) -> Self {
        let data = self.reference::<T>();
        // OpenAPI 3.1 has no word for a stream of events; this is JSON Schema's for text that holds JSON.
        let schema = json!({ "type": "string", "contentMediaType": JSON, "contentSchema": data });
        let content = json!({ "text/event-stream": { "schema": schema } });
        self.answers.insert(200, json!({ "description": description, "content": content }));
        self
    }

    /// Answers over a WebSocket too, where that is asked for.
    pub(crate) fn upgrades(mut self, description: &str) -> Self {
        let description = format!("Asked with `Upgrade: websocket`: {description}");
        self.answers.insert(101, json!({ "description": description }));
        self
    }

    /// Spends or starts something: with an `Idempotency-Key` it does so once.
    pub(crate) fn once(mut self) -> Self {
        self.is_once = true;
        let description = "Asked again with the same key within a day, it answers the same and does nothing.";
        self.header(IDEMPOTENCY_KEY, description).fails(&[
            Code::IdempotencyMismatch,
            Code::IdempotencyRunning,
            Code::Busy,
        ])
    }

    /// May answer these problems, beside those of every route.
    pub(crate) fn fails(mut self, problems: &[Code]) -> Self {
        self.problems.extend(problems);
        self
    }

    fn reference<T: ToSchema>(&mut self) -> Value {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
    }
}

/// A problem as an answer, for all codes of one status.
pub(crate) fn problem_answer(codes: &[Code]) -> Value {
    let words = codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title()));
    let description = words.collect::<Vec<_>>().join(" ");
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    json!({ "description": description, "content": { PROBLEM_CONTENT_TYPE: { "schema": schema } } })
}
