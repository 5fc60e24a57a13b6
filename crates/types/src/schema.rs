//! Ids, units and words as JSON Schema, for the description of the local API (feature `schema`).

use crate::{
    AccountId, AgreementId, Hash, JobId, Micros, NodeId, TaskId, Timestamp,
    ids::ServiceId,
    job::{FailureKind, GpuVendor, ImageRef, Isolation, LevelReason, Real},
    place::{Level, NodeKind, Region},
    service::{ReplicaId, ReplicaState, Restart, ServiceRef},
};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, SchemaType, Type},
    },
};

/// A text of this form.
pub fn text(description: &str, pattern: &str) -> RefOr<Schema> {
    let schema = object(Type::String, description).pattern(Some(pattern));
    schema.build().into()
}

fn object(kind: Type, description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(kind)).description(Some(description))
}

fn number(description: &str) -> RefOr<Schema> {
    object(Type::Integer, description).minimum(Some(0)).build().into()
}

fn word(description: &str, words: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    object(Type::String, description).enum_values(Some(words)).build().into()
}

/// Gives a type its schema under its own name.
macro_rules! schemas {
    ($($type:ident = $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )*};
}

schemas! {
    Hash = text("A BLAKE3 hash.", "^[0-9a-f]{64}$");
    JobId = text("A job.", "^[0-9a-z]{16}$");
    TaskId = text("A task of a job: `STAGE.INDEX`, both from 0.", r"^[0-9]+\.[0-9]+$");
    ServiceId = text("A service: a hash of its owner and its name.", "^[0-9a-z]{16}$");
    ServiceRef = text("A service by name, `web`, or `web@NODE` of another owner.", "^[0-9a-z-]{1,63}(@.+)?$");
    ReplicaId = text("A replica: `SERVICE.SLOT.GENERATION`.", r"^[0-9a-z]{16}\.[0-9]+\.[0-9]+$");
    ReplicaState = word("How a replica stands.", ReplicaState::ALL.iter().map(|state| state.as_str()));
    Restart = word("Whether a replica starts again.", Restart::ALL.iter().map(|restart| restart.as_str()));
    AgreementId = text("An agreement: the hash of its terms.", "^[0-9a-f]{64}$");
    NodeId = text("A node.", "^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$");
    AccountId = text("An account.", "^osk1[1-9A-HJ-NP-Za-km-z]{36,64}$");
    Micros = number("Money in micros: 1 credit is 1,000,000.");
    Timestamp = number("A moment, in milliseconds since 1970-01-01 UTC.");
    Level = word("How a task runs.", Level::ALL.iter().map(|level| level.as_str()));
    NodeKind = word("What kind of work a node is meant for.", NodeKind::ALL.iter().map(|kind| kind.as_str()));
    ImageRef = text("An image in a registry by its digest.", "^[a-z0-9.:-]+(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$");
    Isolation = word("What keeps a container from its host.", Isolation::ALL.iter().map(|kind| kind.as_str()));
    GpuVendor = word("Who makes a GPU.", GpuVendor::ALL.iter().map(|vendor| vendor.as_str()));
    FailureKind = word("How a run failed.", FailureKind::ALL.iter().map(|kind| kind.as_str()));
    LevelReason = word("Why a stage runs at its level.", LevelReason::ALL.iter().map(|reason| reason.as_str()));
    Real = object(Type::Number, "A finite number.").build().into();
    Region = word("A region of the world.", Region::ALL.iter().map(|region| region.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_says_what_a_value_looks_like() {
        let json = |schema: RefOr<Schema>| serde_json::to_value(schema).expect("plain data");
        let level = json(Level::schema());
        assert_eq!(level["enum"], serde_json::json!(["function", "vm", "container"]));
        assert_eq!(json(Micros::schema())["minimum"], 0);
        assert_eq!(json(Hash::schema())["pattern"], "^[0-9a-f]{64}$");
        assert_eq!(Hash::name(), "Hash");
    }
}
