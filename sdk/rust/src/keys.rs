//! Keys of the API, and sessions of browsers.

use crate::{Client, ClientError, client::QueryWith};
use opensky_api::{
    key::{KeyQuery, KeyRequest, Keys, NewKey, WalletLoginQuery, WalletLoginRequest, WalletLogins},
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

    /// Wallets that may log in to the dashboard.
    pub async fn wallet_logins(&self) -> Result<WalletLogins, ClientError> {
        self.get(routes::WALLET_LOGINS).await
    }

    /// Names a wallet that may log in, or gives it another role.
    pub async fn add_wallet_login(&self, request: &WalletLoginRequest) -> Result<WalletLogins, ClientError> {
        self.call(Method::POST, routes::WALLET_LOGINS, Some(request)).await
    }

    /// Lets a wallet log in no longer; its sessions end.
    pub async fn remove_wallet_login(&self, query: &WalletLoginQuery) -> Result<WalletLogins, ClientError> {
        let request = self.request(Method::DELETE, routes::WALLET_LOGINS).query_with(query);
        self.json(routes::WALLET_LOGINS, request).await
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
