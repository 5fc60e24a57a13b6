//! A role as kept on disk.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_api::key::Role;

/// A role as kept with keys and wallets; the numbers stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub(crate) enum KeptRole {
    Viewer = 0,
    Operator = 1,
    Owner = 2,
}

impl From<Role> for KeptRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Owner => Self::Owner,
        }
    }
}

impl From<KeptRole> for Role {
    fn from(role: KeptRole) -> Self {
        match role {
            KeptRole::Viewer => Self::Viewer,
            KeptRole::Operator => Self::Operator,
            KeptRole::Owner => Self::Owner,
        }
    }
}
