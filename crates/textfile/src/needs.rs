//! What programs in containers need beside a processor, memory and files, as files say it.

use crate::{
    source::Fault,
    values::{At, Size},
};
use opensky_types::job::{GpuNeed, ImageRef, Isolation, Needs};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use std::{borrow::Cow, fmt};

/// What marks the name of an image in a registry.
const DIGEST: &str = "@sha256:";

/// What keeps a container from its host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IsolationWord {
    /// What the host's owner has chosen.
    #[default]
    Any,
    /// A kernel of its own (gVisor).
    Gvisor,
}

/// GPUs that a program has for itself while it runs.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuTable {
    /// How many, 1 to 16. 1 if absent.
    pub count: Option<u8>,
    /// Memory of each. Any if absent.
    pub memory: Option<Size>,
    /// Who made them: `nvidia` or `amd`. Anyone if absent.
    pub vendor: Option<At<String>>,
    /// A part of their name, such as `a100`. Any if absent.
    pub model: Option<String>,
}

/// GPUs: a table, or how many.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpus(pub GpuTable);

impl<'de> Deserialize<'de> for Gpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct GpusVisitor;
        impl<'de> Visitor<'de> for GpusVisitor {
            type Value = Gpus;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of GPUs, or a table such as { count = 1, memory = \"16GiB\" }")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Gpus, E> {
                let count = u8::try_from(number);
                let count = count.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))?;
                Ok(Gpus(GpuTable { count: Some(count), memory: None, vendor: None, model: None }))
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Gpus, A::Error> {
                GpuTable::deserialize(MapAccessDeserializer::new(entries)).map(Gpus)
            }
        }
        deserializer.deserialize_any(GpusVisitor)
    }
}

impl JsonSchema for Gpus {
    fn schema_name() -> Cow<'static, str> {
        "Gpus".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let number = json_schema!({ "type": "integer", "minimum": 1, "maximum": 16 });
        json_schema!({ "anyOf": [number, generator.subschema_for::<GpuTable>()] })
    }
}

/// The image that a text names, if it names one in a registry.
pub fn image(at: &At<String>) -> Result<Option<ImageRef>, Fault> {
    if !at.value.contains(DIGEST) || at.value.starts_with("docker:") || at.value.starts_with("sky:") {
        return Ok(None);
    }
    let image = at.value.parse().map_err(|error: opensky_types::text::ParseError| {
        Fault::new(at.span, error.to_string())
            .with_hint("names are in small letters, and a digest has 64 digits")
    });
    image.map(Some)
}

/// What is needed, or where that is not to be had.
pub fn checked(
    image: Option<ImageRef>,
    isolation: Option<&At<IsolationWord>>,
    gpus: Option<&At<Gpus>>,
) -> Result<Needs, Fault> {
    let gpus_needed = gpus.map(|at| gpu_need(&at.value.0)).transpose()?;
    let isolation_wanted = match isolation.map(|at| at.value) {
        None | Some(IsolationWord::Any) => Isolation::Any,
        Some(IsolationWord::Gvisor) => Isolation::Gvisor,
    };
    let needs = Needs { image, isolation: isolation_wanted, gpus: gpus_needed };
    let place = gpus.map(|at| at.span).or(isolation.map(|at| at.span)).unwrap_or_default();
    needs.validate().map_err(|problem| Fault::new(place, problem))?;
    Ok(needs)
}

/// The same where no image runs: there nothing of it can be asked for. `what` says what runs.
pub fn none(
    isolation: Option<&At<IsolationWord>>,
    gpus: Option<&At<Gpus>>,
    what: &str,
) -> Result<Needs, Fault> {
    let isolation_at = isolation.map(|at| ("isolation", at.span));
    match isolation_at.or(gpus.map(|at| ("gpus", at.span))) {
        None => Ok(Needs::default()),
        Some((key, span)) => Err(Fault::new(span, format!("'{key}' is of images, and {what}"))
            .with_hint("name an image, or remove it")),
    }
}

fn gpu_need(table: &GpuTable) -> Result<GpuNeed, Fault> {
    let vendor = |at: &At<String>| {
        at.value
            .parse()
            .map_err(|error: opensky_types::text::ParseError| Fault::new(at.span, error.to_string()))
    };
    Ok(GpuNeed {
        count: table.count.unwrap_or(1),
        memory_bytes_min: table.memory.map_or(0, |size| size.0),
        vendor: table.vendor.as_ref().map(vendor).transpose()?,
        model: table.model.as_deref().unwrap_or_default().to_lowercase(),
    })
}
