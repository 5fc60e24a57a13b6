//! Keys of the API. Only their hashes are kept: whoever reads the node's disk can use none of them.

use crate::{
    kept_role::KeptRole,
    problem::{Answer, Outcome, problem},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_api::{
    Code, Problem,
    key::{KEY_NAME_BYTES_MAX, KEY_PREFIX, KEYS_MAX, KeyRequest, KeyView, Keys},
};
use opensky_types::{
    Hash, Timestamp,
    codec::{self, DecodeError},
};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

/// Bytes of all keys as kept: a name, a role, a hash and two times for each.
const BYTES_MAX: usize = KEYS_MAX * (KEY_NAME_BYTES_MAX + 64);

/// A key as kept.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct ApiKey {
    name: String,
    role: KeptRole,
    /// Of its text. The text is 256 random bits, so no slow hash is needed.
    hash: Hash,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl ApiKey {
    fn view(&self) -> KeyView {
        KeyView {
            name: self.name.clone(),
            role: self.role.into(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            spend: None,
        }
    }
}

/// All keys of a node, in order of name.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct KeyRing(Vec<ApiKey>);

impl KeyRing {
    /// From what was kept.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, BYTES_MAX)
    }

    /// To be kept.
    pub(crate) fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The key of this text, if it works. Looking up a hash tells nothing about other keys by its time.
    pub(crate) fn find(&self, text: &str, now: Timestamp) -> Option<KeyView> {
        let hash = Hash::of(text.as_bytes());
        let key = self.0.iter().find(|key| key.hash == hash)?;
        key.expires_at.is_none_or(|ends| now < ends).then(|| key.view())
    }

    /// The key of this name that was made then, if it still works: another of the same name is another key.
    pub(crate) fn working(&self, name: &str, created_at: Timestamp, now: Timestamp) -> Option<KeyView> {
        let key = self.0.iter().find(|key| key.name == name && key.created_at == created_at)?;
        key.expires_at.is_none_or(|ends| now < ends).then(|| key.view())
    }

    /// Whether there is a key of this name, working or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|key| key.name == name)
    }

    /// All of them.
    pub(crate) fn view(&self) -> Keys {
        Keys { keys: self.0.iter().map(ApiKey::view).collect() }
    }

    /// Adds a key with this secret.
    pub(crate) fn add(&mut self, request: KeyRequest, secret: &str, now: Timestamp) -> Outcome<KeyView> {
        check(&request)?;
        if self.has(&request.name) {
            let detail = format!("there is a key called '{}' already", request.name);
            let next = format!("choose another name, or revoke it: opensky keys revoke {}", request.name);
            return Err(Answer(Problem::new(Code::InvalidRequest, detail).with_next(next)));
        }
        if self.0.len() >= KEYS_MAX {
            return Err(problem(
                Code::InvalidRequest,
                format!("there are {KEYS_MAX} keys, which is the limit; revoke one first"),
            ));
        }
        let key = ApiKey {
            name: request.name,
            role: request.role.into(),
            hash: Hash::of(secret.as_bytes()),
            created_at: now,
            expires_at: request.valid_ms.map(|valid_ms| now.plus_ms(valid_ms)),
        };
        let view = key.view();
        self.0.push(key);
        self.0.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(view)
    }

    /// Removes the key of this name.
    pub(crate) fn remove(&mut self, name: &str) -> Outcome<()> {
        let missing = || problem(Code::KeyNotFound, format!("there is no key called '{name}'"));
        let place = self.0.iter().position(|key| key.name == name).ok_or_else(missing)?;
        self.0.remove(place);
        Ok(())
    }
}

fn check(request: &KeyRequest) -> Outcome<()> {
    let name = &request.name;
    let is_plain = !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if name.is_empty() || name.len() > KEY_NAME_BYTES_MAX || !is_plain {
        let detail = format!(
            "a key's name has 1 to {KEY_NAME_BYTES_MAX} bytes, without spaces and control characters"
        );
        return Err(problem(Code::InvalidRequest, detail));
    }
    if request.valid_ms == Some(0) {
        return Err(problem(Code::InvalidRequest, "'valid_ms' is 0: the key would never work"));
    }
    Ok(())
}

/// A new secret: 256 random bits as text.
pub(crate) fn draw() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(bytes.as_mut()).expect("the operating system gives randomness");
    Zeroizing::new(format!("{KEY_PREFIX}{}", hex::encode(bytes.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_api::key::Role;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn request(name: &str, role: Role, valid_ms: Option<u64>) -> KeyRequest {
        KeyRequest { name: name.into(), role, valid_ms, spend: None }
    }

    fn ring() -> KeyRing {
        let mut ring = KeyRing::default();
        for (name, role, valid_ms) in
            [("b", Role::Owner, None), ("c", Role::Viewer, Some(5)), ("a", Role::Operator, None)]
        {
            assert!(ring.add(request(name, role, valid_ms), name, NOW).is_ok(), "{name}");
        }
        ring
    }

    #[test]
    fn w1_a_key_works_until_it_expires_or_is_revoked() {
        let mut ring = ring();
        assert_eq!(ring.view().keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(ring.find("b", NOW).map(|key| key.role), Some(Role::Owner));
        assert!(ring.find("c", NOW.plus_ms(4)).is_some(), "in time");
        assert!(ring.find("c", NOW.plus_ms(5)).is_none(), "too late");
        assert!(ring.find("d", NOW).is_none(), "never made");
        assert!(
            ring.working("c", NOW, NOW.plus_ms(4)).is_some()
                && ring.working("c", NOW, NOW.plus_ms(5)).is_none()
        );
        assert!(ring.working("b", NOW.plus_ms(1), NOW).is_none(), "another of the same name");
        assert!(ring.remove("b").is_ok() && ring.remove("b").is_err());
        assert!(ring.find("b", NOW).is_none(), "revoked");
    }

    #[test]
    fn keys_are_named_once_and_bounded() {
        let mut ring = ring();
        let long = "x".repeat(KEY_NAME_BYTES_MAX + 1);
        for name in ["a", "", "two words", "line\n", &long] {
            assert!(ring.add(request(name, Role::Viewer, None), "secret", NOW).is_err(), "{name:?}");
        }
        assert!(ring.add(request("d", Role::Viewer, Some(0)), "secret", NOW).is_err());
        while ring.0.len() < KEYS_MAX {
            let name = format!("{:0>width$}", ring.0.len(), width = KEY_NAME_BYTES_MAX);
            assert!(ring.add(request(&name, Role::Viewer, Some(1)), &name, NOW).is_ok());
        }
        assert!(ring.add(request("last", Role::Viewer, None), "secret", NOW).is_err(), "full");
        assert_eq!(KeyRing::decode(&ring.encode()), Ok(ring), "a full ring is read back");
    }

    /// As kept on disk: if this must change, the name it is kept under changes too.
    #[test]
    fn the_format_on_disk_stays() {
        let mut ring = KeyRing::default();
        assert!(ring.add(request("ci", Role::Operator, Some(60_000)), "secret", NOW).is_ok());
        let parts = [
            "01000000", // one key
            "02000000",
            "6369", // its name
            "01",   // its role
            &Hash::of(b"secret").to_string(),
            "0068e5cf8b010000", // since when
            "01",
            "6052e6cf8b010000", // until when
        ];
        let expected = parts.concat();
        assert_eq!(hex::encode(ring.encode()), expected);
    }

    #[test]
    fn w1_a_drawn_secret_is_kept_as_a_hash_only() {
        let (one, other) = (draw(), draw());
        assert_ne!(one, other);
        assert_eq!(one.len(), KEY_PREFIX.len() + 64);
        let mut ring = KeyRing::default();
        assert!(ring.add(request("a", Role::Viewer, None), &one, NOW).is_ok());
        let kept = hex::encode(ring.encode());
        assert!(!kept.contains(&hex::encode(one.as_bytes())) && !kept.contains(&one[KEY_PREFIX.len()..]));
    }
}
