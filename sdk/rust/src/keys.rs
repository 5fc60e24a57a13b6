//! Keys of the API.

use crate::{Client, ClientError, client::QueryWith};
use opensky_api::{
    key::{KeyQuery, KeyRequest, Keys, NewKey},
    routes,
};
use reqwest::Method;

impl Client {
    /// The API keys of the node.
    pub async fn keys(&self) -> Result<Keys, ClientError> {
        self.get(routes::KEYS).await
    }

    /// Makes an API key. Its secret comes this once.
    pub async fn create_key(&self, request: &KeyRequest) -> Result<NewKey, ClientError> {
        self.call(Method::POST, routes::KEYS, Some(request)).await
    }

    /// Makes a key work no longer; answers those that are left.
    pub async fn revoke_key(&self, query: &KeyQuery) -> Result<Keys, ClientError> {
        self.json(routes::KEYS, self.request(Method::DELETE, routes::KEYS).query_with(query)).await
    }
}
