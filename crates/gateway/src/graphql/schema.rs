//! The schema: a field for each route that takes and answers JSON, under the name of its operation.

use super::{
    budget::Counting,
    call::{INPUT, Operation, Routes},
    shapes::Shapes,
};
use async_graphql::{
    Error, Value as GraphValue,
    dynamic::{
        Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, Schema, Subscription,
        SubscriptionField, SubscriptionFieldFuture, TypeRef,
    },
};
use axum::{Router, http::Method};
use futures::StreamExt;
use opensky_api::routes::{GRAPHQL, IDEMPOTENCY_KEY, SESSION};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};
use tokio_stream::wrappers::ReceiverStream;

const QUERY: &str = "Query";
const MUTATION: &str = "Mutation";
const SUBSCRIPTION: &str = "Subscription";
/// The field of an event that says where a later subscription goes on.
const CURSOR: &str = "cursor";

/// Fields that lead from one shape to a route: of which type, their name, the operation that they ask, its
/// argument, and the field that this is taken from.
const LINKS: [(&str, &str, &str, &str, &str); 6] = [
    ("JobSummary", "detail", "job", "job", "job"),
    ("JobSummary", "runs", "runs", "job", "job"),
    ("JobSummary", "notes", "notes", "job", "job"),
    ("JobDetail", "runs", "runs", "job", "job"),
    ("JobDetail", "notes", "notes", "job", "job"),
    ("RunView", "proof", "receipt", "id", "receipt"),
];

/// An operation with what the schema has to know of it.
struct Described {
    name: String,
    summary: String,
    operation: Operation,
    /// Arguments: name, schema, whether it must be there, what it is.
    arguments: Vec<(String, Value, bool, String)>,
    answers: Answers,
}

enum Answers {
    /// JSON of this shape.
    One(Value),
    /// Nothing.
    Done,
    /// Events of this shape.
    Events(Value),
}

/// The schema of the routes that `description` lists and `router` serves.
pub(super) fn build(description: &Value, router: Router) -> Schema {
    let schemas = description["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let routes = Arc::new(Routes { router, schemas: schemas.clone() });
    let mut shapes = Shapes::new(&schemas);
    let (mut query, mut mutation) = (Object::new(QUERY), Object::new(MUTATION));
    let mut subscription = Subscription::new(SUBSCRIPTION);
    let mut found = BTreeMap::new();
    for described in operations(description) {
        let described = Arc::new(described);
        found.insert(described.name.clone(), Arc::clone(&described));
        match (&described.answers, &described.operation.method) {
            (Answers::Events(_), _) => {
                subscription = subscription.field(listening(&mut shapes, &routes, &described));
            }
            (_, &Method::GET) => query = query.field(asking(&mut shapes, &routes, &described, None)),
            _ => mutation = mutation.field(asking(&mut shapes, &routes, &described, None)),
        }
    }
    for (object, field, operation, argument, from) in LINKS {
        let described = &found[operation];
        let link = Link { field, argument, from };
        let field = asking(&mut shapes, &routes, described, Some(link));
        shapes.extend(object, field);
    }
    let builder = Schema::build(QUERY, Some(MUTATION), Some(SUBSCRIPTION)).extension(Counting);
    let builder = shapes.into_types().fold(builder, |builder, kind| builder.register(kind));
    builder.register(query).register(mutation).register(subscription).finish().expect("the description holds")
}

/// A field of a shape instead of the root: one argument is taken from the shape.
#[derive(Clone, Copy)]
struct Link {
    field: &'static str,
    argument: &'static str,
    from: &'static str,
}

fn asking(
    shapes: &mut Shapes<'_>,
    routes: &Arc<Routes>,
    described: &Arc<Described>,
    link: Option<Link>,
) -> Field {
    let kind = match &described.answers {
        Answers::One(schema) => shapes.output(schema),
        Answers::Done | Answers::Events(_) => TypeRef::named(TypeRef::BOOLEAN),
    };
    let (routes, asked) = (Arc::clone(routes), Arc::clone(described));
    let name = link.map_or(described.name.as_str(), |link| link.field);
    // What a field of the root cannot give must not take the others with it, so it may be null.
    let mut field = Field::new(name, kind, move |context| {
        let (routes, asked) = (Arc::clone(&routes), Arc::clone(&asked));
        FieldFuture::new(async move {
            match asked_for(&context, &routes, &asked.operation, link).await {
                Ok(value) => Ok(value.map(FieldValue::value)),
                Err(error) => {
                    // An error that is returned would leave the field out instead of making it null.
                    let error = error.into_server_error(context.item.pos);
                    context.add_error(context.set_error_path(error));
                    Ok(None::<FieldValue<'_>>)
                }
            }
        })
    })
    .description(described.summary.as_str());
    for (name, schema, is_required, description) in &described.arguments {
        if link.is_none_or(|link| link.argument != name) {
            field = field.argument(argument(shapes, name, schema, *is_required, description));
        }
    }
    field
}

/// What a route answers to a field; `None` for a link that its shape does not have.
async fn asked_for(
    context: &ResolverContext<'_>,
    routes: &Routes,
    operation: &Operation,
    link: Option<Link>,
) -> Result<Option<GraphValue>, Error> {
    let mut arguments = arguments(context)?;
    if let Some(link) = link {
        match of_parent(context, link.from) {
            Some(value) => arguments.insert(link.argument.to_owned(), value),
            None => return Ok(None),
        };
    }
    routes.ask(context, operation, arguments).await.map(Some)
}

fn listening(shapes: &mut Shapes<'_>, routes: &Arc<Routes>, described: &Arc<Described>) -> SubscriptionField {
    let Answers::Events(schema) = &described.answers else { unreachable!("only streams are listened to") };
    let kind = shapes.output(schema);
    let name = kind.type_name().to_owned();
    let cursor = Field::new(CURSOR, TypeRef::named_nn(TypeRef::STRING), |context| {
        FieldFuture::Value(of_parent(&context, CURSOR).and_then(|value| match value {
            Value::String(text) => Some(FieldValue::value(text)),
            _ => None,
        }))
    });
    shapes.extend(&name, cursor.description("What `after` takes, to go on after this event."));
    let (routes, asked) = (Arc::clone(routes), Arc::clone(described));
    let mut field =
        SubscriptionField::new(described.name.as_str(), TypeRef::NonNull(Box::new(kind)), move |context| {
            let (routes, asked) = (Arc::clone(&routes), Arc::clone(&asked));
            SubscriptionFieldFuture::new(async move {
                let events = routes.listen(&context, &asked.operation, arguments(&context)?).await?;
                Ok(ReceiverStream::new(events).map(|told| {
                    let mut event: Value = serde_json::from_str(told.json()).unwrap_or_default();
                    event[CURSOR] = json!(told.id());
                    GraphValue::from_json(event)
                        .map(FieldValue::value)
                        .map_err(|error| Error::new(error.to_string()))
                }))
            })
        })
        .description(described.summary.as_str());
    for (name, schema, is_required, description) in &described.arguments {
        field = field.argument(argument(shapes, name, schema, *is_required, description));
    }
    field
}

fn argument(
    shapes: &mut Shapes<'_>,
    name: &str,
    schema: &Value,
    is_required: bool,
    description: &str,
) -> InputValue {
    let kind = shapes.input(schema);
    let kind = if is_required { TypeRef::NonNull(Box::new(kind)) } else { kind };
    InputValue::new(name, kind).description(description)
}

fn arguments(context: &ResolverContext<'_>) -> Result<Map<String, Value>, Error> {
    let given = context
        .args
        .iter()
        .map(|(name, value)| Ok((name.to_string(), value.as_value().clone().into_json()?)));
    given.collect()
}

fn of_parent(context: &ResolverContext<'_>, field: &str) -> Option<Value> {
    match context.parent_value.as_value()? {
        GraphValue::Object(fields) => {
            fields.get(field)?.clone().into_json().ok().filter(|value| !value.is_null())
        }
        _ => None,
    }
}

/// The routes that take and answer JSON, or stream events. Logins are for browsers.
fn operations(description: &Value) -> Vec<Described> {
    let paths = description["paths"].as_object().into_iter().flatten();
    let is_login =
        |path: &str| path.strip_prefix(SESSION).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let of_api = paths.filter(|(path, _)| *path != GRAPHQL && !is_login(path));
    let operations = of_api.flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .filter_map(|(method, operation)| described(path, method, operation))
    });
    operations.collect()
}

fn described(path: &str, method: &str, operation: &Value) -> Option<Described> {
    let answers = answers(&operation["responses"])?;
    let (mut parameters, mut arguments, mut is_once) = (Vec::new(), Vec::new(), false);
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (parameter["name"].as_str()?, parameter["in"].as_str()?);
        if place == "header" {
            is_once |= name == IDEMPOTENCY_KEY;
            continue;
        }
        parameters.push((name.to_owned(), place == "path"));
        let is_required = parameter["required"] == true;
        let description = parameter["description"].as_str().unwrap_or_default().to_owned();
        arguments.push((name.to_owned(), parameter["schema"].clone(), is_required, description));
    }
    let body = match operation.get("requestBody") {
        Some(body) => Some(body["content"].get("application/json")?["schema"].clone()),
        None => None,
    };
    if let Some(schema) = &body {
        arguments.push((INPUT.to_owned(), schema.clone(), true, "What is asked.".to_owned()));
    }
    let method = method.to_ascii_uppercase().parse().ok()?;
    Some(Described {
        name: operation["operationId"].as_str()?.to_owned(),
        summary: operation["summary"].as_str()?.to_owned(),
        operation: Operation { method, path: path.to_owned(), parameters, body, is_once },
        arguments,
        answers,
    })
}

/// `None` for a route that answers something else.
fn answers(responses: &Value) -> Option<Answers> {
    let success = ["200", "201", "202", "204"].iter().find_map(|status| responses.get(status))?;
    let Some(content) = success["content"].as_object() else { return Some(Answers::Done) };
    if let Some(json) = content.get("application/json") {
        let schema = json.get("schema")?;
        return Some(Answers::One(schema.clone()));
    }
    let events = content.get("text/event-stream")?;
    Some(Answers::Events(events["schema"]["contentSchema"].clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_json_has_a_field() {
        let description = crate::openapi::document(&crate::rest::table::table());
        let names: Vec<String> =
            operations(&description).into_iter().map(|described| described.name).collect();
        for name in [
            "status",
            "jobs",
            "submit",
            "cancelJob",
            "jobEvents",
            "ledgerEvents",
            "transfer",
            "stop",
            "keys",
            "sessions",
            "endSession",
        ] {
            assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
        }
        for name in ["openapi", "blob", "upload", "taskLog", "metrics", "openSession", "graphql"] {
            assert!(!names.iter().any(|found| found == name), "{name}");
        }
        let sdl = super::super::sdl(&description);
        let anything =
            sdl.lines().filter(|line| line.contains(&format!(": {}", super::super::shapes::JSON))).count();
        assert!(anything < 12, "few things have no type: {anything}");
    }
}
