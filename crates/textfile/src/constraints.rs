//! Which nodes may run something, as files say it.

use crate::{
    source::Fault,
    values::{At, OneOrMany, Price, Size},
};
use opensky_types::{Micros, offer};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{fmt::Display, str::FromStr};

/// What nodes must have or be. Absent means any.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Constraints {
    /// Regions: asia, north-america, europe, africa, south-america, oceania, middle-east.
    pub region: OneOrMany<At<String>>,
    /// Kinds: general, wasm, ai, simulation, storage, relay, ingress.
    pub kind: OneOrMany<At<String>>,
    /// Only these nodes, by id.
    pub peers: OneOrMany<At<String>>,
    /// Never these nodes, by id.
    pub exclude_peers: OneOrMany<At<String>>,
    /// At least so many logical cores.
    pub cores: u16,
    /// At least this compute score of one core.
    pub score: u32,
    /// At least this much machine memory.
    pub memory: Option<Size>,
    /// At least so many GPUs.
    pub gpus: u8,
    /// Processor architecture, such as `x86_64`.
    pub arch: Option<String>,
    /// At most this many credits for one billion fuel.
    pub price_max: Option<Price>,
}

/// The constraints that the market knows, or where a word is none that it knows. None: any node.
pub fn checked(given: Option<&Constraints>) -> Result<offer::Constraints, Fault> {
    let Some(given) = given else { return Ok(offer::Constraints::default()) };
    Ok(offer::Constraints {
        regions: words(&given.region)?,
        kinds: words(&given.kind)?,
        peers: words(&given.peers)?,
        peers_excluded: words(&given.exclude_peers)?,
        cpu_cores_min: given.cores,
        score_min: given.score,
        machine_memory_bytes_min: given.memory.map_or(0, |size| size.0),
        gpus_min: given.gpus,
        price_per_gfuel_max: given.price_max.map(|price| Micros::new(price.0)),
        arch: given.arch.clone(),
    })
}

fn words<T: FromStr>(given: &OneOrMany<At<String>>) -> Result<Vec<T>, Fault>
where
    T::Err: Display,
{
    let read =
        |at: &At<String>| at.value.parse().map_err(|error: T::Err| Fault::new(at.span, error.to_string()));
    given.0.iter().map(read).collect()
}
