//! Secrets of services, on their way to a node.

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use opensky_types::service::SecretValue;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A secret of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceSecretView)]
pub struct SecretView {
    /// Its name.
    pub name: String,
    /// Whether the program finds it as the file `/run/secrets/NAME`.
    pub file: bool,
    /// The environment variable of the program that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// What it is, in Base64. Never in an answer; absent in a request: what it is already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, write_only)]
    pub value: Option<SecretText>,
}

/// The value of a secret on its way to the node.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(SecretValue);

impl SecretText {
    /// A value from its bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(SecretValue::new(bytes))
    }

    /// The value.
    pub fn into_value(self) -> SecretValue {
        self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(BASE64.encode(self.0.expose()));
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // What is wrong with it is said without a part of it.
        BASE64.decode(text.as_bytes()).map(Self::new).map_err(|_| D::Error::custom("not Base64 with padding"))
    }
}
