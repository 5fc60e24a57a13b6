//! Secrets of a service: sealed by its owner for the nodes that may run it, and for nobody else.

use super::spec::InvalidService;
use crate::key::NodeId;
use borsh::{BorshDeserialize, BorshSerialize};
use std::{collections::BTreeSet, fmt};
use zeroize::Zeroizing;

/// Most secrets of a service.
pub const SECRETS_MAX: usize = 32;
/// Most bytes of all secrets of a service together.
pub const SECRETS_BYTES_MAX: usize = 48 * 1024;
/// Most nodes that can read the secrets of a service.
pub const READERS_MAX: usize = 64;
/// Most characters of a secret's name, and of a variable's.
const NAME_CHARS_MAX: usize = 64;
/// What sealing adds to the secrets: their lengths, and bytes that hide these.
const SEALED_BYTES_MAX: usize = SECRETS_BYTES_MAX + 1_024;

/// The secrets of a service, as all who keep it have them: they can be read by `readers` alone.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Secrets {
    /// How the program finds each.
    pub given: Vec<Secret>,
    /// Who can read them: the owner, and those nodes that may run the service.
    pub readers: Vec<Reader>,
    /// The values, under one key.
    pub sealed: Vec<u8>,
}

/// How a program finds a secret.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Whether it is the file `/run/secrets/NAME`.
    pub is_file: bool,
    /// The environment variable that holds it.
    pub env: Option<String>,
}

/// A node that can read secrets.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Reader {
    /// Which.
    pub node: NodeId,
    /// The public half of the exchange with it (RFC 9180: `enc`).
    pub exchange: [u8; 32],
    /// The key of the values, sealed for it.
    pub key: [u8; 48],
}

/// The value of a secret. It has no form in which it travels or is written, and goes from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// A value from its bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for whoever delivers them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

impl Secrets {
    /// Whether a node can read them.
    pub fn can_be_read_by(&self, node: &NodeId) -> bool {
        self.readers.iter().any(|reader| reader.node == *node)
    }

    /// Checks everything that hosts rely on.
    pub(super) fn validate(&self) -> Result<(), InvalidService> {
        check_given(&self.given)?;
        let distinct: BTreeSet<NodeId> = self.readers.iter().map(|reader| reader.node).collect();
        if !(1..=READERS_MAX).contains(&self.readers.len()) || distinct.len() < self.readers.len() {
            return bad(format!("1 to {READERS_MAX} nodes can read them, each named once"));
        }
        if self.sealed.len() > SEALED_BYTES_MAX {
            return bad(format!("all values together have at most {SECRETS_BYTES_MAX} bytes"));
        }
        Ok(())
    }
}

/// Whether secrets can be given to a program so.
pub fn check_given(given: &[Secret]) -> Result<(), InvalidService> {
    if !(1..=SECRETS_MAX).contains(&given.len()) {
        return bad(format!("a service has at most {SECRETS_MAX} secrets"));
    }
    let (mut names, mut variables) = (BTreeSet::new(), BTreeSet::new());
    for secret in given {
        if !is_file_name(&secret.name) || !names.insert(&secret.name) {
            return bad(format!(
                "'{}' is there twice or no name: 1 to {NAME_CHARS_MAX} letters, digits, '.', '-' and '_', not \
                 beginning with '.'",
                secret.name.escape_debug()
            ));
        }
        if !secret.is_file && secret.env.is_none() {
            return bad(format!(
                "'{}' is given to the program neither as a file nor as a variable",
                secret.name
            ));
        }
        if let Some(env) = &secret.env
            && !(is_variable(env) && variables.insert(env))
        {
            return bad(format!("'{}' is there twice or no name of a variable", env.escape_debug()));
        }
    }
    Ok(())
}

fn is_file_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(is_inner) && !name.starts_with('.')
}

fn is_variable(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_graphic() && c != '=';
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(is_inner)
}

fn bad(problem: String) -> Result<(), InvalidService> {
    Err(InvalidService { field: "secrets", problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, env: Option<&str>) -> Secret {
        Secret { name: name.into(), is_file: env.is_none(), env: env.map(str::to_owned) }
    }

    #[test]
    fn a_name_stays_in_its_folder_and_is_there_once() {
        assert_eq!(check_given(&[secret("db.password", None), secret("A_1", Some("A"))]), Ok(()));
        for name in ["", ".", "..", ".a", "a/b", "/a", "a\0", "a b", "ä", &"a".repeat(65)] {
            assert!(check_given(&[secret(name, None)]).is_err(), "{name:?}");
        }
        for env in ["", "A=B", "A\0", "A B"] {
            assert!(check_given(&[secret("a", Some(env))]).is_err(), "{env:?}");
        }
        assert!(check_given(&[secret("a", None), secret("a", Some("A"))]).is_err());
        assert!(check_given(&[secret("a", Some("A")), secret("b", Some("A"))]).is_err());
        let nowhere = Secret { is_file: false, ..secret("a", None) };
        assert!(check_given(&[nowhere]).is_err());
    }

    #[test]
    fn a_value_shows_nothing_of_itself() {
        let value = SecretValue::new(b"open sesame".to_vec());
        assert_eq!(format!("{value:?}"), "SecretValue(…)");
        assert_eq!(value.expose(), b"open sesame");
    }
}
