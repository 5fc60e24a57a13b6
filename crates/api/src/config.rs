//! The effective configuration, and where each value came from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every setting of a running node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigView {
    /// In order of key.
    pub settings: Vec<SettingView>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingView {
    /// Its name, as in the configuration file.
    pub key: String,
    /// Its value as text; secrets are never shown.
    pub value: String,
    /// Who set it.
    pub source: SettingSource,
    /// The flag, variable or file that did, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// Who set a value; the first of these that names it wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettingSource {
    /// A command line flag.
    Flag,
    /// An environment variable.
    Environment,
    /// The configuration file.
    File,
    /// Nobody: the built-in value.
    Default,
}
