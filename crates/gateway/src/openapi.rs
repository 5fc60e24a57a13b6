//! The API described by itself, as OpenAPI 3.1.

use crate::{
    auth::Needs,
    route::{Route, Table, problem_answer},
};
use opensky_api::{Code, Problem, routes::IDEMPOTENCY_REPLAYED};
use opensky_types::{Hash, JobId, NodeId, TaskId, service::ServiceRef};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::{PartialSchema, ToSchema};

const TITLE: &str = "OpenSky";
const DESCRIPTION: &str = "The local API of an OpenSky node, on loopback. Names are `snake_case` with the unit \
                           last. Moments (`…_at`) are milliseconds since 1970. Ids and hashes are text. Amounts \
                           are micros: 1 credit is 1,000,000. Whole numbers stay below 2^53. Requests refuse \
                           unknown fields; readers of answers must ignore them.";
/// Problems that any route may answer.
const OF_ALL: [Code; 6] = [
    Code::Unauthorized,
    Code::NotAllowed,
    Code::RateLimited,
    Code::Internal,
    Code::ShuttingDown,
    Code::TimedOut,
];
/// Shapes with a word for what a client does not know yet. The API never says it.
const WITH_UNKNOWN: [&str; 3] = ["Code", "JobEvent", "LedgerEvent"];

/// The description of all routes. Keys are in order, so that it is the same in every build.
pub(crate) fn document(table: &Table) -> Value {
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    let mut schemas = BTreeMap::from([(Problem::name().into_owned(), Problem::schema())]);
    let mut of_problem = Vec::new();
    Problem::schemas(&mut of_problem);
    schemas.extend(of_problem);
    for route in table.routes() {
        let method = route.method.as_str().to_ascii_lowercase();
        paths.entry(route.path).or_default().insert(method, operation(route));
        schemas.extend(route.about.schemas.iter().cloned());
    }
    let mut schemas = json!(schemas);
    for name in WITH_UNKNOWN {
        drop_unknown(&mut schemas[name]);
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/", "description": "The node that serves this document." }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    });
    in_order(tidied(document))
}

fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "The text of `run/api.token` in the node's data folder, which may do all, or an API key \
                            (`opensky keys create`), which may do what its role may: a viewer reads, an operator \
                            also works with jobs and content, an owner may do all.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "opensky-session-PORT",
            "description": "A browser's session, from the link that `opensky dashboard` prints. What is not \
                            GET needs the header `x-opensky-csrf: 1` too.",
        },
    })
}

fn operation(route: &Route) -> Value {
    let about = &route.about;
    let mut parameters: Vec<Value> = names_in(route.path).map(path_parameter).collect();
    parameters.extend(about.parameters.iter().cloned());
    let mut operation = json!({
        "operationId": about.name,
        "summary": about.summary,
        "tags": [tag(route.path)],
        "parameters": parameters,
        "responses": responses(route, !parameters.is_empty()),
    });
    if let Some(body) = &about.body {
        operation["requestBody"] = body.clone();
    }
    operation["security"] = match route.needs {
        Needs::Nothing => json!([]),
        Needs::Role(role) => json!([{ "token": [role] }, { "session": [role] }]),
    };
    operation
}

fn responses(route: &Route, has_parameters: bool) -> Value {
    let about = &route.about;
    let mut codes = [&OF_ALL[..], &about.problems].concat();
    if has_parameters || about.body.is_some() {
        codes.push(Code::InvalidRequest);
    }
    if about.body.is_some() {
        codes.push(Code::TooLarge);
    }
    if names_in(route.path).any(|name| name == "job") {
        codes.push(Code::JobNotFound);
    }
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
        let same = by_status.entry(code.status()).or_default();
        if !same.contains(&code) {
            same.push(code);
        }
    }
    let problems = by_status.iter().map(|(status, codes)| (*status, problem_answer(codes)));
    let mut answers: BTreeMap<u16, Value> = about.answers.clone().into_iter().chain(problems).collect();
    for (status, answer) in &mut answers {
        let header = match (Code::RateLimited.status() == *status, about.is_once && *status < 300) {
            (true, _) => ("retry-after", "Seconds to wait.", "integer"),
            (_, true) => (IDEMPOTENCY_REPLAYED, "`true` if this was answered before.", "string"),
            _ => continue,
        };
        let (name, description, kind) = header;
        answer["headers"] = json!({ name: { "description": description, "schema": { "type": kind } } });
    }
    json!(answers)
}

/// What is between braces in a path.
pub(crate) fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(name: &str) -> Value {
    let (description, schema) = match name {
        "hash" => ("The hash of the content.", Hash::schema()),
        "id" => ("Its id.", Hash::schema()),
        "job" => ("The job.", JobId::schema()),
        "task" => ("The task.", TaskId::schema()),
        "node" => ("The node.", NodeId::schema()),
        "service" => ("The service.", ServiceRef::schema()),
        other => unreachable!("the path parameter '{other}' has no schema; add one here"),
    };
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
}

/// The resource that a path begins with.
fn tag(path: &str) -> &str {
    path.trim_start_matches("/v1").trim_start_matches('/').split(['/', '.']).next().unwrap_or_default()
}

/// The derived schemas, as readers of the document want them: what is absent is left out, never null (no
/// answer has a null, and no request needs one), and texts are without the marks of Rust's documentation.
fn tidied(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(tidied).collect(),
        Value::Object(mut object) => {
            drop_null(&mut object);
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace("[`", "`").replace("`]", "`").replace('\n', " ");
            }
            object.into_iter().map(|(key, value)| (key, tidied(value))).collect()
        }
        other => other,
    }
}

fn drop_null(object: &mut Map<String, Value>) {
    object.retain(|_, value| !value.is_null());
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("oneOf") {
        choices.retain(|choice| *choice != json!({ "type": "null" }));
        if choices.len() == 1
            && let Some(Value::Object(only)) = choices.pop()
        {
            object.remove("oneOf");
            object.extend(only);
        }
    }
}

fn drop_unknown(schema: &mut Value) {
    let is_unknown = |value: &Value| value == "unknown" || value.to_string().contains("[\"unknown\"]");
    for key in ["enum", "oneOf"] {
        if let Some(Value::Array(choices)) = schema.get_mut(key) {
            choices.retain(|choice| !is_unknown(choice));
        }
    }
}

/// Whatever order the maps of this build keep.
fn in_order(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(in_order).collect(),
        Value::Object(object) => {
            let sorted: BTreeMap<String, Value> =
                object.into_iter().map(|(key, value)| (key, in_order(value))).collect();
            sorted.into_iter().collect()
        }
        other => other,
    }
}
