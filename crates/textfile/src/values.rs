//! Values as people write them: sizes, durations, amounts of fuel, shares, prices; and [`At`],
//! which remembers where a value stands.

use crate::{
    decode::{AT, LIST},
    source::Span,
};
use opensky_types::{Micros, resources::ByteSize};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// A value and its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The place.
    pub span: Span,
    /// The value.
    pub value: T,
}

impl<T: Default> Default for At<T> {
    fn default() -> Self {
        Self { span: Span::default(), value: T::default() }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AtVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
            type Value = At<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<At<T>, A::Error> {
                let missing = || A::Error::custom("a place was not given");
                let start: u64 = parts.next_element()?.ok_or_else(missing)?;
                let end: u64 = parts.next_element()?.ok_or_else(missing)?;
                let value = parts.next_element()?.ok_or_else(missing)?;
                Ok(At { span: Span { start: start as usize, end: end as usize }, value })
            }
        }
        deserializer.deserialize_newtype_struct(AT, AtVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(OneOrMany(list))
            }
        }
        deserializer.deserialize_newtype_struct(LIST, ListVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, { "type": "array", "items": item }] })
    }
}

/// A whole number that may also be written as a text with a unit.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $pattern:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub u64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct QuantityVisitor;
                impl Visitor<'_> for QuantityVisitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_u64<E: Error>(self, number: u64) -> Result<$name, E> {
                        self.visit_str(&number.to_string())
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        let parse: fn(&str) -> Option<u64> = $parse;
                        parse(text).map($name).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_any(QuantityVisitor)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $expected,
                    "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": $pattern }],
                })
            }
        }
    };
}

quantity! {
    /// A size, in bytes.
    Size, "a size such as \"64MiB\", \"2GB\" or 4096 (bytes)",
    "^[0-9]+ ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB|K|M|G|T)?$",
    |text| text.parse::<ByteSize>().ok().map(ByteSize::get)
}

quantity! {
    /// A duration, in milliseconds.
    Millis, "a duration such as \"500ms\", \"90s\", \"10m\", \"2h\" or \"1h30m\"",
    "^(0|([0-9]+(ms|s|m|h|d) ?)+)$",
    parse_millis
}

quantity! {
    /// An amount of fuel.
    Fuel, "an amount of fuel such as 1000000, \"500M\", \"20G\" or \"1T\" (powers of 1000)",
    "^[0-9]+ ?(k|M|G|T)?$",
    parse_fuel
}

quantity! {
    /// A share, in per mille.
    PerMille, "a share such as \"5%\" or \"0.5%\"",
    "^[0-9]+(\\.[0-9])?%$",
    parse_per_mille
}

quantity! {
    /// A price, in micros.
    Price, "an amount of credits in quotes, such as \"0.000125\"",
    "^[0-9]+(\\.[0-9]{1,6})?$",
    |text| parse_credits(text).map(Micros::get)
}

/// Milliseconds of a duration with units: `1h30m`, `500ms`. A bare number other than 0 is refused.
pub fn parse_millis(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text.trim();
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit_ms)?)?;
        rest = tail.trim_start();
    }
    (!text.trim().is_empty()).then_some(total)
}

fn parse_fuel(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// Per mille of a share such as `5%` or `0.5%`, at most `100%`.
pub fn parse_per_mille(text: &str) -> Option<u64> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    if tenth.len() != 1 {
        return None;
    }
    let per_mille = whole.parse::<u64>().ok()?.checked_mul(10)? + tenth.parse::<u64>().ok()?;
    (per_mille <= 1000).then_some(per_mille)
}

/// An amount of credits such as `1.5`, with six decimals at most, read without rounding.
pub fn parse_credits(text: &str) -> Option<Micros> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() > 6 || !is_digits(part) || !is_digits(whole) {
        return None;
    }
    let micros: u64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros).map(Micros::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_people_write_them() {
        for (text, millis) in [
            ("500ms", Some(500)),
            ("90s", Some(90_000)),
            ("1h30m", Some(5_400_000)),
            ("1h 30m", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("0", Some(0)),
            ("10", None),
            ("", None),
            ("ten minutes", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(parse_millis(text), millis, "{text}");
        }
        for (text, per_mille) in [
            ("5%", Some(50)),
            ("0.5%", Some(5)),
            ("100%", Some(1000)),
            ("101%", None),
            ("5", None),
            ("0.55%", None),
        ] {
            assert_eq!(parse_per_mille(text), per_mille, "{text}");
        }
        for (text, fuel) in [("20G", Some(20_000_000_000)), ("7", Some(7)), ("1X", None)] {
            assert_eq!(parse_fuel(text), fuel, "{text}");
        }
        for (text, micros) in
            [("0.000125", Some(125)), ("2", Some(2_000_000)), ("0.0000001", None), ("x", None)]
        {
            assert_eq!(parse_credits(text).map(Micros::get), micros, "{text}");
        }
    }
}
