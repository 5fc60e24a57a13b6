//! Keys of the API, and sessions of browsers.

use crate::{Client, ClientError, client::QueryWith};
use opensky_api::{
    key::{KeyQuery, KeyRequest, Keys, NewKey},
    routes,
    session::{OpenSessionQuery, OpenSessions},
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

    /// Open sessions of browsers.
    pub async fn sessions(&self) -> Result<OpenSessions, ClientError> {
        self.get(routes::SESSIONS).await
    }

    /// Ends a session of a browser; answers those that are left.
    pub async fn end_session(&self, query: &OpenSessionQuery) -> Result<OpenSessions, ClientError> {
        self.json(routes::SESSIONS, self.request(Method::DELETE, routes::SESSIONS).query_with(query)).await
    }
}
