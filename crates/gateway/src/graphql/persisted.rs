//! Queries that are sent once and named by their hash from then on ("automatic persisted queries", as Apollo
//! describes them). Who may ask says the gate: a query of another caller that has the same hash is the same
//! text.

use async_graphql::{Error, ErrorExtensions};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};

/// Most queries kept; the oldest makes room.
const COUNT_MAX: usize = 512;
/// Largest query that is kept, in bytes.
const QUERY_BYTES_MAX: usize = 16 * 1024;

/// Queries by the SHA-256 of their text.
#[derive(Default)]
pub(super) struct Persisted {
    queries: BTreeMap<[u8; 32], String>,
    oldest: VecDeque<[u8; 32]>,
}

impl Persisted {
    /// The text that a request means: its own, or that of the hash in its extensions.
    pub(super) fn text(
        &mut self,
        query: Option<String>,
        extensions: &Map<String, Value>,
    ) -> Result<String, Error> {
        let Some(asked) = extensions.get("persistedQuery") else {
            return query.ok_or_else(|| wrong("the request has no 'query'"));
        };
        let hash = hash_of(asked)?;
        match query {
            None => self.queries.get(&hash).cloned().ok_or_else(not_found),
            Some(query) if <[u8; 32]>::from(Sha256::digest(&query)) == hash => {
                self.keep(hash, &query);
                Ok(query)
            }
            Some(_) => Err(wrong("'sha256Hash' is not the SHA-256 of 'query'")),
        }
    }

    fn keep(&mut self, hash: [u8; 32], query: &str) {
        if query.len() > QUERY_BYTES_MAX || self.queries.contains_key(&hash) {
            return;
        }
        while self.queries.len() >= COUNT_MAX {
            let Some(oldest) = self.oldest.pop_front() else { break };
            self.queries.remove(&oldest);
        }
        self.oldest.push_back(hash);
        self.queries.insert(hash, query.to_owned());
    }
}

fn hash_of(asked: &Value) -> Result<[u8; 32], Error> {
    if asked.get("version").and_then(Value::as_u64) != Some(1) {
        return Err(wrong("'persistedQuery' has 'version' 1"));
    }
    let digits = asked.get("sha256Hash").and_then(Value::as_str).unwrap_or_default();
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash).map_err(|_| wrong("'sha256Hash' is 64 hex digits"))?;
    Ok(hash)
}

fn wrong(what: &str) -> Error {
    Error::new(what).extend_with(|_, extensions| extensions.set("code", "invalid-request"))
}

/// In the words that clients look for.
fn not_found() -> Error {
    Error::new("PersistedQueryNotFound")
        .extend_with(|_, extensions| extensions.set("code", "PERSISTED_QUERY_NOT_FOUND"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(query: &str) -> Map<String, Value> {
        let hash = hex::encode(Sha256::digest(query));
        let named = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
        named.as_object().cloned().expect("an object")
    }

    #[test]
    fn a_query_is_found_by_its_hash_once_it_was_sent() {
        let mut persisted = Persisted::default();
        let missing = persisted.text(None, &named("{ a }")).expect_err("not sent yet");
        assert_eq!(missing.message, "PersistedQueryNotFound");
        assert_eq!(persisted.text(Some("{ a }".into()), &named("{ a }")).expect("sent"), "{ a }");
        assert_eq!(persisted.text(None, &named("{ a }")).expect("found"), "{ a }");
        assert_eq!(persisted.text(Some("{ b }".into()), &Map::new()).expect("plain"), "{ b }");
        assert!(persisted.text(None, &named("{ b }")).is_err(), "what names no hash is not kept");
    }

    #[test]
    fn w5_a_hash_of_another_query_is_refused() {
        let mut persisted = Persisted::default();
        assert!(persisted.text(Some("{ evil }".into()), &named("{ a }")).is_err());
        assert!(persisted.text(None, &named("{ a }")).is_err(), "and nothing was kept for it");
        for wrong in
            [json!({}), json!({ "version": 2 }), json!({ "version": 1, "sha256Hash": "zz" }), json!(1)]
        {
            let extensions = json!({ "persistedQuery": wrong }).as_object().cloned().expect("an object");
            assert!(persisted.text(Some("{ a }".into()), &extensions).is_err());
        }
    }

    #[test]
    fn w5_kept_queries_are_bounded() {
        let mut persisted = Persisted::default();
        for number in 0..2 * COUNT_MAX {
            let query = format!("{{ a{number} }}");
            persisted.text(Some(query.clone()), &named(&query)).expect("a query");
        }
        assert_eq!((persisted.queries.len(), persisted.oldest.len()), (COUNT_MAX, COUNT_MAX));
        assert!(persisted.text(None, &named("{ a0 }")).is_err(), "the oldest made room");
        let long = format!("{{ a }} #{}", "x".repeat(QUERY_BYTES_MAX));
        persisted.text(Some(long.clone()), &named(&long)).expect("it runs");
        assert!(persisted.text(None, &named(&long)).is_err(), "but is not kept");
    }
}
