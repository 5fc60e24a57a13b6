//! The secrets of a replica, as its door takes them: they are in no setting of the engine and on no disk.

use opensky_types::service::{Secret, SecretValue};

/// Where programs find them.
pub const FOLDER: &str = "/run/secrets";
/// Bytes of that folder: each file takes whole pages.
pub const FOLDER_BYTES_MAX: u64 = 1 << 20;

const FILE: u8 = b'F';
const VARIABLE: u8 = b'V';

/// All of them in one: how many bytes follow, then for each file and each variable what it is, its name and its
/// value. None where there are none.
pub fn packed(secrets: &[(Secret, SecretValue)]) -> Option<SecretValue> {
    if secrets.is_empty() {
        return None;
    }
    let items = || {
        secrets.iter().flat_map(|(secret, value)| {
            let file = secret.is_file.then_some((FILE, secret.name.as_str(), value.expose()));
            let variable = secret.env.as_deref().map(|name| (VARIABLE, name, value.expose()));
            file.into_iter().chain(variable)
        })
    };
    let size_bytes: usize = items().map(|(_, name, value)| 1 + 2 + name.len() + 4 + value.len()).sum();
    // Large enough from the start: no copy of them is left behind by one that grows.
    let mut packed = Vec::with_capacity(4 + size_bytes);
    packed.extend_from_slice(&(size_bytes as u32).to_le_bytes());
    for (kind, name, value) in items() {
        packed.push(kind);
        packed.extend_from_slice(&(name.len() as u16).to_le_bytes());
        packed.extend_from_slice(name.as_bytes());
        packed.extend_from_slice(&(value.len() as u32).to_le_bytes());
        packed.extend_from_slice(value);
    }
    Some(SecretValue::new(packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_variables_are_packed_one_after_the_other() {
        let both = Secret { name: "pw".into(), is_file: true, env: Some("PW".into()) };
        let packed = packed(&[(both, SecretValue::new(b"xyz".to_vec()))]).expect("there is one");
        assert_eq!(packed.expose(), b"\x18\0\0\0F\x02\0pw\x03\0\0\0xyzV\x02\0PW\x03\0\0\0xyz");
        assert_eq!(super::packed(&[]), None);
    }
}
