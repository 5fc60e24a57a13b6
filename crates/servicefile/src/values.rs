//! Values of service files: ports, and the two shapes of `health` and of `idle`.

use crate::file::{HealthTable, VolumeTable};
use opensky_textfile::values::Millis;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, Unexpected, Visitor,
    value::MapAccessDeserializer,
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

/// A volume: a table, or its path alone.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeValue(pub VolumeTable);

impl<'de> Deserialize<'de> for VolumeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct VolumeVisitor;
        impl<'de> Visitor<'de> for VolumeVisitor {
            type Value = VolumeValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table such as { path = \"/data\", size = \"2GiB\" }")
            }
            fn visit_str<E: Error>(self, path: &str) -> Result<VolumeValue, E> {
                Ok(VolumeValue(VolumeTable { path: path.to_owned(), size: None }))
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<VolumeValue, A::Error> {
                VolumeTable::deserialize(MapAccessDeserializer::new(entries)).map(VolumeValue)
            }
        }
        deserializer.deserialize_any(VolumeVisitor)
    }
}

impl JsonSchema for VolumeValue {
    fn schema_name() -> Cow<'static, str> {
        "Volume".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<VolumeTable>()] })
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

/// How long a component that nobody uses stays in memory: a time, or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// It stays.
    Never,
    /// It goes after so long.
    After(Millis),
}

impl<'de> Deserialize<'de> for Idle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdleVisitor;
        impl Visitor<'_> for IdleVisitor {
            type Value = Idle;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"30s\", or false")
            }
            fn visit_bool<E: Error>(self, is_on: bool) -> Result<Idle, E> {
                if is_on { Err(E::invalid_value(Unexpected::Bool(true), &self)) } else { Ok(Idle::Never) }
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Idle, E> {
                Millis::deserialize(text.into_deserializer()).map(Idle::After)
            }
        }
        deserializer.deserialize_any(IdleVisitor)
    }
}

impl JsonSchema for Idle {
    fn schema_name() -> Cow<'static, str> {
        "Idle".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let time = generator.subschema_for::<Millis>();
        json_schema!({ "anyOf": [{ "const": false }, time] })
    }
}
