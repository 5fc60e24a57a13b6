//! Keys of the API: who may do what, beside the owner.

use opensky_types::{Micros, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::{IntoParams, ToSchema};

/// Most keys of a node.
pub const KEYS_MAX: usize = 64;
/// Most bytes of a key's name.
pub const KEY_NAME_BYTES_MAX: usize = 64;
/// What the text of a key begins with; 64 hex digits follow.
pub const KEY_PREFIX: &str = "opensky_";

/// What a caller may do. Each may do what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads: status, jobs, outputs, the ledger.
    Viewer,
    /// Starts and stops jobs, uploads content, keeps images.
    Operator,
    /// Spends money, changes limits, keys, invites and validators, stops the node.
    Owner,
}

impl Role {
    /// Every role, from the least.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Owner];

    /// The word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("'{text}' is not a role: viewer, operator or owner"))
    }
}

/// Asks for a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// What to call it: 1 to 64 bytes, without spaces; no other key has the name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How long it works, in milliseconds from now; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_ms: Option<u64>,
    /// What it may spend; what its role may if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<SpendLimit>,
}

/// For how long a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpendPer {
    /// For all that the key ever spends.
    Ever,
    /// For a day, which begins with the first spending after the one before.
    Day,
}

/// What a key may spend: on transfers, stake, and the budgets of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpendLimit {
    /// How much.
    pub limit_micros: Micros,
    /// For how long.
    pub per: SpendPer,
}

/// A limit, and what of it is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpendView {
    /// How much.
    pub limit_micros: Micros,
    /// For how long.
    pub per: SpendPer,
    /// What is spent of it. A job counts with its budget.
    pub spent_micros: Micros,
}

/// A key, without its secret, which the node does not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What it may spend, if that is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<SpendView>,
}

/// The keys of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// In order of name, those that no longer work among them.
    pub keys: Vec<KeyView>,
}

/// A key that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewKey {
    /// What the list will say.
    #[serde(flatten)]
    pub key: KeyView,
    /// What to send as `Authorization: Bearer …`. Shown this once.
    pub secret: String,
}

/// Which key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeyQuery {
    /// Its name.
    pub name: String,
}

/// Most wallets that may log in to a node.
pub const WALLET_LOGINS_MAX: usize = 32;

/// Names a wallet that may log in, or gives it another role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WalletLoginRequest {
    /// Its address, such as `0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed`.
    pub address: String,
    /// What it may do.
    pub role: Role,
}

/// A wallet that may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletLogin {
    /// Its address.
    pub address: String,
    /// What it may do.
    pub role: Role,
    /// Since when it may.
    pub created_at: Timestamp,
}

/// Wallets that may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletLogins {
    /// In order of address.
    pub wallets: Vec<WalletLogin>,
}

/// Which wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WalletLoginQuery {
    /// Its address.
    pub address: String,
}
