//! GraphQL over HTTP. Its names are those of its own specification.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GraphqlRequest {
    /// The document. May be left out where `extensions` names a query that was sent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Which of its operations, if it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// Values of its variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub variables: Option<Map<String, Value>>,
    /// `persistedQuery` with `version` 1 and `sha256Hash`: keeps the query, or means one that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub extensions: Option<Map<String, Value>>,
}

/// A query as a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct GraphqlQuery {
    /// The document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Which of its operations, if it has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// Values of its variables, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<String>,
    /// As in a request with a body, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<String>,
}

/// An answer: what was asked for, and what went wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GraphqlAnswer {
    /// What was asked for; absent where nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
    /// What went wrong, each with a problem's `code` in its `extensions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub errors: Vec<Value>,
}
