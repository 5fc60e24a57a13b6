//! Wallets: balances, histories, and what moves money.

use crate::{Client, ClientError, client::QueryWith};
use opensky_api::{
    history::{History, HistoryQuery},
    routes,
    transaction::TransactionView,
    wallet::{AutoTransfers, OwnerRequest, StakeRequest, TransferRequest, Wallet, WalletQuery},
};
use reqwest::Method;

impl Client {
    /// An account with those that it owns.
    pub async fn wallet(&self, query: &WalletQuery) -> Result<Wallet, ClientError> {
        let path = routes::WALLET;
        self.json(path, self.request(Method::GET, path).query_with(query)).await
    }

    /// A page of an account's history, newest first.
    pub async fn wallet_history(&self, query: &HistoryQuery) -> Result<History, ClientError> {
        let path = routes::WALLET_HISTORY;
        self.json(path, self.request(Method::GET, path).query_with(query)).await
    }

    /// Gives money of this node's account away.
    pub async fn transfer(&self, request: &TransferRequest) -> Result<TransactionView, ClientError> {
        self.call(Method::POST, routes::WALLET_TRANSFER, Some(request)).await
    }

    /// Puts money at stake.
    pub async fn stake(&self, request: &StakeRequest) -> Result<TransactionView, ClientError> {
        self.call(Method::POST, routes::WALLET_STAKE, Some(request)).await
    }

    /// Sends stake on its way out.
    pub async fn unstake(&self, request: &StakeRequest) -> Result<TransactionView, ClientError> {
        self.call(Method::POST, routes::WALLET_UNSTAKE, Some(request)).await
    }

    /// Names the owner of this node's account, or none.
    pub async fn set_owner(&self, request: &OwnerRequest) -> Result<TransactionView, ClientError> {
        self.call(Method::POST, routes::WALLET_OWNER, Some(request)).await
    }

    /// The automatic transfers of this node's account.
    pub async fn auto_transfers(&self) -> Result<AutoTransfers, ClientError> {
        self.get(routes::WALLET_AUTO_TRANSFERS).await
    }

    /// Replaces them.
    pub async fn set_auto_transfers(&self, transfers: &AutoTransfers) -> Result<AutoTransfers, ClientError> {
        self.call(Method::PUT, routes::WALLET_AUTO_TRANSFERS, Some(transfers)).await
    }
}
