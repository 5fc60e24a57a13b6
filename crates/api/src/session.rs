//! Sessions of browsers: a one-time code opens one, a cookie carries it.

use opensky_types::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Requests that change something and come with a session's cookie need this header: a form of another
/// page cannot set it.
pub const CSRF_HEADER: &str = "x-opensky-csrf";
/// Its value.
pub const CSRF_VALUE: &str = "1";

/// A link that opens one session, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    /// The code.
    pub code: String,
    /// The page that takes it, below the node's address.
    pub path: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Asks for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The code of a link.
    pub code: String,
}

/// A session. Its secret is in the cookie only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// When it ends by itself; absent for whoever holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
