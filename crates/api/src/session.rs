//! Sessions of browsers: a one-time code or a key opens one, a cookie carries it.

use crate::key::Role;
use opensky_types::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The code of a link. Absent where the request carries an API key: the session may what the key may, and
    /// ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Asks for a message that a wallet signs to log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The wallet's address.
    pub address: String,
    /// The chain that the wallet is set to.
    pub chain_id: u64,
}

/// A message for a wallet, which opens one session, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChallengeView {
    /// What to have signed by `personal_sign`: a message of EIP-4361.
    pub message: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Asks for a session with a signed message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WalletSessionRequest {
    /// The message, as it was signed.
    pub message: String,
    /// The signature: `0x` and 130 hex digits.
    pub signature: String,
}

/// A session. Its secret is in the cookie only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// What the caller may do.
    pub role: Role,
    /// The wallet that logged in, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<String>,
    /// When it ends by itself; absent for whoever holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An open session, as the owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenSessionView {
    /// What it is called; opens nothing.
    pub id: String,
    /// What it may do.
    pub role: Role,
    /// The key that opened it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The wallet that opened it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<String>,
    /// Since when it is open.
    pub opened_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Whether it is the caller's own.
    pub is_own: bool,
}

/// Open sessions of browsers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenSessions {
    /// The latest first.
    pub sessions: Vec<OpenSessionView>,
}

/// Which session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OpenSessionQuery {
    /// Its id.
    pub id: String,
}
