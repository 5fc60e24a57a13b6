//! From the tree to the typed file: a serde `Deserializer` whose errors know where they are.

use crate::{
    source::{Fault, Span},
    suggest::nearest,
    tree::{Node, Value},
};
use serde::{
    Deserialize,
    de::{
        self, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};
use std::fmt::Display;

/// The name by which [`crate::values::At`] asks for its place.
pub const AT: &str = "$opensky at";

/// The name by which [`crate::values::OneOrMany`] asks for a list, be it of one.
pub const LIST: &str = "$opensky list";

/// Reads `tree` as a `T`, or says where it is none.
pub fn decode<'de, T: Deserialize<'de>>(tree: &'de Node) -> Result<T, Fault> {
    T::deserialize(Reader { node: tree })
}

impl std::error::Error for Fault {}

impl Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)
    }
}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self { span: None, problem: message.to_string(), hint: None }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}, found {}", range_in_words(expected), in_words(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}, found {}", range_in_words(expected), in_words(found)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let mut fault = Self::custom(format_args!("unknown key '{field}'"));
        fault.hint = Some(match nearest(field, expected.iter().copied()) {
            Some(word) => format!("did you mean '{word}'?"),
            None => format!("keys here: {}", expected.join(", ")),
        });
        fault
    }

    fn unknown_variant(word: &str, expected: &'static [&'static str]) -> Self {
        let mut fault = Self::custom(format_args!("'{word}' is not one of {}", expected.join(", ")));
        fault.hint = nearest(word, expected.iter().copied()).map(|word| format!("did you mean '{word}'?"));
        fault
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("the key '{field}' is missing"))
    }
}

/// What is expected, with the names of number types as the ranges they stand for.
fn range_in_words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let max = match text.as_str() {
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" => u64::MAX,
        _ => return text,
    };
    format!("a whole number from 0 to {max}")
}

fn in_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(text) => format!("the text \"{text}\""),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Bool(truth) => truth.to_string(),
        Unexpected::Unit | Unexpected::Option => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a table".into(),
        other => other.to_string(),
    }
}

/// Puts the innermost known place on an error that has none yet.
trait OrAt<T> {
    fn or_at(self, span: Span) -> Result<T, Fault>;
}

impl<T> OrAt<T> for Result<T, Fault> {
    fn or_at(self, span: Span) -> Self {
        self.map_err(|mut fault| {
            fault.span.get_or_insert(span);
            fault
        })
    }
}

#[derive(Clone, Copy)]
struct Reader<'de> {
    node: &'de Node,
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Integer(number) => match (u64::try_from(*number), i64::try_from(*number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => Err(Fault::custom("the number is too large")),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items { rest: items.iter() }),
            Value::Table(entries) => visitor.visit_map(Entries { rest: entries.iter(), value: None }),
        };
        result.or_at(self.node.span)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == AT {
            return visitor.visit_seq(Placed { node: self.node, step: 0 });
        }
        if name == LIST {
            let items = match &self.node.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(self.node),
            };
            return visitor.visit_seq(Items { rest: items.iter() });
        }
        visitor.visit_newtype_struct(self).or_at(self.node.span)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let result = match &self.node.value {
            Value::Text(word) => {
                visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(word.as_str()))
            }
            Value::Table(entries) if entries.len() == 1 => {
                let (key, value) = &entries[0];
                visitor.visit_enum(Variant { key, value })
            }
            _ => Err(Fault::custom(format_args!("expected exactly one of {}", variants.join(", ")))),
        };
        result.or_at(self.node.span)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Start, end, value: what `At` reads.
struct Placed<'de> {
    node: &'de Node,
    step: u8,
}

impl<'de> SeqAccess<'de> for Placed<'de> {
    type Error = Fault;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.step += 1;
        match self.step {
            1 => seed.deserialize((self.node.span.start as u64).into_deserializer()).map(Some),
            2 => seed.deserialize((self.node.span.end as u64).into_deserializer()).map(Some),
            3 => seed.deserialize(Reader { node: self.node }).map(Some),
            _ => Ok(None),
        }
    }
}

struct Items<'de> {
    rest: std::slice::Iter<'de, Node>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.rest.next().map(|node| seed.deserialize(Reader { node }).or_at(node.span)).transpose()
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (crate::tree::Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let name: de::value::StrDeserializer<'_, Fault> = key.text.as_str().into_deserializer();
        seed.deserialize(name).or_at(key.span).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let node = self.value.take().expect("serde asks for a value after its key");
        seed.deserialize(Reader { node }).or_at(node.span)
    }
}

struct Variant<'de> {
    key: &'de crate::tree::Key,
    value: &'de Node,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Reader<'de>;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader<'de>), Fault> {
        let name: de::value::StrDeserializer<'_, Fault> = self.key.text.as_str().into_deserializer();
        Ok((seed.deserialize(name).or_at(self.key.span)?, Reader { node: self.value }))
    }
}

impl<'de> VariantAccess<'de> for Reader<'de> {
    type Error = Fault;
    fn unit_variant(self) -> Result<(), Fault> {
        Err(Fault::new(self.node.span, "this choice takes no value"))
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self).or_at(self.node.span)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }
}
