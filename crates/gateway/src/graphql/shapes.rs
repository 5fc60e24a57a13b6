//! From the shapes of the description (JSON Schema) to types of GraphQL, and from GraphQL's values to what
//! routes take.
//!
//! Objects keep their names and fields; a choice of objects with a tag becomes one object with the fields of
//! all, as its readers tell by the tag. What has no type in GraphQL (pairs, maps, a list or the blob that holds
//! it) is the scalar `JSON`. Words with `-` are written with `_`.

use async_graphql::{
    Name, Value as GraphValue,
    dynamic::{
        Enum, EnumItem, Field, FieldFuture, FieldValue, InputObject, InputValue, Object, Scalar, Type,
        TypeRef,
    },
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A whole number: GraphQL's own ends at 2^31.
const LONG: &str = "Long";
/// Anything.
pub(super) const JSON: &str = "JSON";

/// A field that a shape has.
#[derive(Clone)]
struct Part {
    schema: Value,
    is_required: bool,
}

/// Types as they are found.
pub(super) struct Shapes<'a> {
    schemas: &'a Map<String, Value>,
    /// `None` while it is being made.
    types: BTreeMap<String, Option<Made>>,
}

/// A type that was made.
enum Made {
    Object(Object),
    Input(InputObject),
    Plain(Type),
}

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

impl<'a> Shapes<'a> {
    pub(super) fn new(schemas: &'a Map<String, Value>) -> Self {
        let mut types = BTreeMap::new();
        for (name, description) in
            [(LONG, "A whole number below 2^53."), (JSON, "Any JSON: what GraphQL has no type for.")]
        {
            types.insert(
                name.to_owned(),
                Some(Made::Plain(Scalar::new(name).description(description).into())),
            );
        }
        Self { schemas, types }
    }

    /// The type of a value that a route answers; it may be absent.
    pub(super) fn output(&mut self, schema: &Value) -> TypeRef {
        self.reference(schema, Way::Out)
    }

    /// The type of a value that a route takes; it may be left out.
    pub(super) fn input(&mut self, schema: &Value) -> TypeRef {
        self.reference(schema, Way::In)
    }

    /// Adds a field to an object that was found.
    pub(super) fn extend(&mut self, object: &str, field: Field) {
        if let Some(Some(Made::Object(found))) = self.types.get_mut(object) {
            let grown = std::mem::replace(found, Object::new(object)).field(field);
            *found = grown;
        }
    }

    /// All of them.
    pub(super) fn into_types(self) -> impl Iterator<Item = Type> {
        self.types.into_values().flatten().map(|made| match made {
            Made::Object(object) => object.into(),
            Made::Input(input) => input.into(),
            Made::Plain(plain) => plain,
        })
    }

    fn reference(&mut self, schema: &Value, way: Way) -> TypeRef {
        if let Some(name) = name_of(schema) {
            return self.named(name, way);
        }
        match schema["type"].as_str() {
            Some("array") if schema["items"].is_object() => {
                let item = self.reference(&schema["items"], way);
                TypeRef::List(Box::new(TypeRef::NonNull(Box::new(item))))
            }
            Some("array") => TypeRef::named(JSON),
            Some("integer") => TypeRef::named(LONG),
            Some("number") => TypeRef::named(TypeRef::FLOAT),
            Some("boolean") => TypeRef::named(TypeRef::BOOLEAN),
            Some("string") => TypeRef::named(TypeRef::STRING),
            _ => TypeRef::named(JSON),
        }
    }

    fn named(&mut self, name: &str, way: Way) -> TypeRef {
        let Some(schema) = self.schemas.get(name) else { return TypeRef::named(JSON) };
        if let Some(parts) = parts(self.schemas, schema) {
            let type_name = name_there(name, way);
            if !self.types.contains_key(&type_name) {
                self.types.insert(type_name.clone(), None);
                let made = match way {
                    Way::Out => Made::Object(self.object(&type_name, schema, parts)),
                    Way::In => Made::Input(self.input_object(&type_name, schema, parts)),
                };
                self.types.insert(type_name.clone(), Some(made));
            }
            return TypeRef::named(type_name);
        }
        let plain = match (schema["enum"].as_array(), schema["type"].as_str()) {
            (Some(words), _) => {
                Type::from(described(Enum::new(name).items(words.iter().filter_map(item)), schema))
            }
            (None, Some("string" | "integer")) => Type::from(described(Scalar::new(name), schema)),
            (None, Some("array")) => return self.reference(schema, way),
            _ => return TypeRef::named(JSON),
        };
        self.types.entry(name.to_owned()).or_insert(Some(Made::Plain(plain)));
        TypeRef::named(name)
    }

    fn object(&mut self, name: &str, schema: &Value, parts: BTreeMap<String, Part>) -> Object {
        parts.into_iter().fold(described(Object::new(name), schema), |object, (key, part)| {
            let kind = self.output(&part.schema);
            let kind = if part.is_required { TypeRef::NonNull(Box::new(kind)) } else { kind };
            let is_word = self.is_word(&part.schema);
            let field = Field::new(key.clone(), kind, move |context| {
                let value = context.parent_value.as_value().and_then(|parent| match parent {
                    GraphValue::Object(fields) => fields.get(key.as_str()).cloned(),
                    _ => None,
                });
                let value = if is_word { value.map(shown) } else { value };
                FieldFuture::Value(value.map(FieldValue::value))
            });
            object.field(described(field, &part.schema))
        })
    }

    fn input_object(&mut self, name: &str, schema: &Value, parts: BTreeMap<String, Part>) -> InputObject {
        parts.into_iter().fold(described(InputObject::new(name), schema), |object, (key, part)| {
            let kind = self.input(&part.schema);
            let kind = if part.is_required { TypeRef::NonNull(Box::new(kind)) } else { kind };
            object.field(described(InputValue::new(key, kind), &part.schema))
        })
    }

    /// Whether a value is a word of a list, or a list of such.
    fn is_word(&self, schema: &Value) -> bool {
        match name_of(schema) {
            Some(name) => self.schemas.get(name).is_some_and(|schema| schema["enum"].is_array()),
            None => schema["items"].is_object() && self.is_word(&schema["items"]),
        }
    }
}

/// The name that a schema refers to.
fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// What is both taken and answered has two types, with a name each.
fn name_there(name: &str, way: Way) -> String {
    match (way, name.ends_with("Request")) {
        (Way::In, true) | (Way::Out, false) => name.to_owned(),
        (Way::In, false) => format!("{name}Input"),
        (Way::Out, true) => format!("{name}View"),
    }
}

/// What a schema has, if it is an object or a choice of objects.
fn parts(schemas: &Map<String, Value>, schema: &Value) -> Option<BTreeMap<String, Part>> {
    if let Some(name) = name_of(schema) {
        return parts(schemas, schemas.get(name)?);
    }
    if let Some(all) = schema["allOf"].as_array() {
        let all: Option<Vec<_>> = all.iter().map(|part| parts(schemas, part)).collect();
        return Some(all?.into_iter().flatten().collect());
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choices: Option<Vec<_>> = choices.iter().map(|choice| parts(schemas, choice)).collect();
        return choices.map(merged);
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object()?;
    let part = |(key, schema): (&String, &Value)| {
        (key.clone(), Part { schema: schema.clone(), is_required: required.contains(&key.as_str()) })
    };
    Some(properties.iter().map(part).collect())
}

/// The fields of all choices: required is what all have. A field that differs between them can be anything,
/// but for the tag, which is a text.
fn merged(choices: Vec<BTreeMap<String, Part>>) -> BTreeMap<String, Part> {
    let count = choices.len();
    let mut found = BTreeMap::<String, Vec<Part>>::new();
    for (key, part) in choices.into_iter().flatten() {
        found.entry(key).or_default().push(part);
    }
    let join = |(key, parts): (String, Vec<Part>)| {
        let is_required = parts.len() == count && parts.iter().all(|part| part.is_required);
        let bare = |schema: &Value| {
            let mut bare = schema.clone();
            if let Some(object) = bare.as_object_mut() {
                object.retain(|key, _| key != "description" && key != "enum");
            }
            bare
        };
        let first = parts[0].schema.clone();
        let is_same = parts.iter().all(|part| bare(&part.schema) == bare(&first));
        let schema = match is_same {
            true if parts.len() > 1 => bare(&first),
            true => first,
            false => Value::Object(Map::new()),
        };
        (key, Part { schema, is_required })
    };
    found.into_iter().map(join).collect()
}

fn item(word: &Value) -> Option<EnumItem> {
    word.as_str().map(|word| EnumItem::new(word.replace('-', "_")))
}

/// A word as GraphQL writes it; lists of them too.
fn shown(value: GraphValue) -> GraphValue {
    match value {
        GraphValue::String(word) => GraphValue::Enum(Name::new(word.replace('-', "_"))),
        GraphValue::List(list) => GraphValue::List(list.into_iter().map(shown).collect()),
        other => other,
    }
}

/// A value as its route takes it: words with their `-`, and what is null left out.
pub(super) fn taken(schemas: &Map<String, Value>, schema: &Value, value: Value) -> Value {
    let resolved = name_of(schema).and_then(|name| schemas.get(name)).unwrap_or(schema);
    match value {
        Value::String(word) => {
            let words = resolved["enum"].as_array().into_iter().flatten();
            let is_meant =
                |meant: &&Value| meant.as_str().is_some_and(|meant| meant.replace('-', "_") == word);
            words.into_iter().find(is_meant).cloned().unwrap_or(Value::String(word))
        }
        Value::Array(list) => {
            Value::Array(list.into_iter().map(|item| taken(schemas, &resolved["items"], item)).collect())
        }
        Value::Object(object) => {
            let parts = parts(schemas, resolved).unwrap_or_default();
            let field = |(key, value): (String, Value)| {
                let schema = parts.get(&key).map_or(Value::Null, |part| part.schema.clone());
                (!value.is_null()).then(|| (key, taken(schemas, &schema, value)))
            };
            Value::Object(object.into_iter().filter_map(field).collect())
        }
        other => other,
    }
}

/// Types and fields that can say what they are for.
pub(super) trait Described: Sized {
    fn describe(self, text: &str) -> Self;
}

macro_rules! described {
    ($($kind:ty),*) => {
        $(impl Described for $kind {
            fn describe(self, text: &str) -> Self {
                self.description(text)
            }
        })*
    };
}
described!(Object, InputObject, InputValue, Enum, Scalar, Field);

fn described<T: Described>(it: T, schema: &Value) -> T {
    match schema["description"].as_str() {
        Some(text) => it.describe(text),
        None => it,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_what_their_routes_take() {
        let schemas = json!({
            "Region": { "type": "string", "enum": ["north-america", "asia"] },
            "Where": { "type": "object", "properties": {
                "region": { "$ref": "#/components/schemas/Region" },
                "others": { "type": "array", "items": { "$ref": "#/components/schemas/Region" } },
                "name": { "type": "string" },
            } },
        });
        let schemas = schemas.as_object().expect("an object");
        let asked = json!({ "region": "north_america", "others": ["asia", "north_america"], "name": "a_b", "x": null });
        let schema = json!({ "$ref": "#/components/schemas/Where" });
        let sent = json!({ "region": "north-america", "others": ["asia", "north-america"], "name": "a_b" });
        assert_eq!(taken(schemas, &schema, asked), sent, "words are turned back, other text is not");
    }

    #[test]
    fn a_choice_of_objects_has_the_fields_of_all() {
        let schema = json!({ "oneOf": [
            { "properties": { "kind": { "type": "string", "enum": ["a"] }, "size": { "type": "integer" } },
              "required": ["kind", "size"] },
            { "properties": { "kind": { "type": "string", "enum": ["b"] }, "size": { "type": "string" } },
              "required": ["kind", "size"] },
            { "properties": { "kind": { "type": "string", "enum": ["c"] } }, "required": ["kind"] },
        ] });
        let found = parts(&Map::new(), &schema).expect("an object");
        assert!(found["kind"].is_required && found["kind"].schema == json!({ "type": "string" }));
        assert!(!found["size"].is_required && found["size"].schema == json!({}), "it differs");
    }
}
