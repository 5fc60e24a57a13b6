//! Values of service files: ports, and the two shapes of `health`.

use crate::file::HealthTable;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{
    Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer,
};
use std::{borrow::Cow, fmt};

/// A TCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port(pub u16);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PortVisitor;
        impl Visitor<'_> for PortVisitor {
            type Value = Port;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port from 1 to 65535")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Port, E> {
                match u16::try_from(number) {
                    Ok(port) if port > 0 => Ok(Port(port)),
                    _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
                }
            }
        }
        deserializer.deserialize_any(PortVisitor)
    }
}

impl JsonSchema for Port {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Port".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 65535 })
    }
}

/// How health is seen: a table, or `false`.
#[derive(Debug, Clone, PartialEq)]
pub enum Health {
    /// What runs is healthy.
    Off,
    /// Something is tried. `true` leaves all of it absent.
    Check(Box<HealthTable>),
}

impl<'de> Deserialize<'de> for Health {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HealthVisitor;
        impl<'de> Visitor<'de> for HealthVisitor {
            type Value = Health;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("false, or a table such as { http = \"/healthz\" }")
            }
            fn visit_bool<E: Error>(self, is_on: bool) -> Result<Health, E> {
                Ok(if is_on { Health::Check(Box::default()) } else { Health::Off })
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Health, A::Error> {
                let table = HealthTable::deserialize(MapAccessDeserializer::new(entries))?;
                Ok(Health::Check(Box::new(table)))
            }
        }
        deserializer.deserialize_any(HealthVisitor)
    }
}

impl JsonSchema for Health {
    fn schema_name() -> Cow<'static, str> {
        "Health".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<HealthTable>();
        json_schema!({ "anyOf": [{ "type": "boolean" }, table] })
    }
}
