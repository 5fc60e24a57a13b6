//! Every route, in one place. All need `Authorization: Bearer SECRET`, where the secret is the text
//! of the file [`TOKEN_FILE`] in the node's data folder or an API key ([`KEYS`]), or a browser's session ([`SESSION`]): its cookie
//! and, on all that is not GET, the header [`CSRF_HEADER`](crate::session::CSRF_HEADER). Only `POST` of
//! [`SESSION`], [`SESSION_CHALLENGES`] and [`SESSION_WALLET`], and [`OPENAPI`] need neither, and [`SESSION_LINKS`] needs the token itself.
//!
//! | method | route | in | out |
//! |---|---|---|---|
//! | GET | [`OPENAPI`] | | this table and all shapes as OpenAPI 3.1 |
//! | GET | [`STATUS`] | | [`Status`](crate::status::Status) |
//! | GET, PUT | [`NODE`] | [`RenameRequest`](crate::status::RenameRequest) | [`NodeView`](crate::status::NodeView) |
//! | GET | [`PEERS`] | | [`Peers`](crate::network::Peers) |
//! | GET | [`OFFERS`] | | [`Offers`](crate::offer::Offers) |
//! | GET | [`OFFERS_HISTORY`] | | [`PriceHistory`](crate::offer::PriceHistory) |
//! | GET | [`CLUSTERS`] | | [`Clusters`](crate::offer::Clusters) |
//! | GET, PUT | [`LIMITS`] | [`Limits`](crate::limits::Limits) | [`LimitsView`](crate::limits::LimitsView) |
//! | GET | [`CONFIG`] | | [`ConfigView`](crate::config::ConfigView) |
//! | GET | [`DOCTOR`] | | [`DoctorReport`](crate::doctor::DoctorReport) |
//! | GET, POST | [`INVITES`] | [`InviteRequest`](crate::membership::InviteRequest) | [`Invites`](crate::membership::Invites), [`InviteView`](crate::membership::InviteView) |
//! | GET | [`MEMBERS`] | | [`Members`](crate::membership::Members) |
//! | POST | [`BLOBS`] | the bytes | [`BlobRef`](crate::content::BlobRef) |
//! | GET, HEAD | [`blob`] | | the bytes, with `Content-Length` |
//! | GET, POST | [`IMAGES`] | [`KeepImageRequest`](crate::image::KeepImageRequest) | [`Images`](crate::image::Images) |
//! | DELETE | [`IMAGES`] | [`ImageQuery`](crate::image::ImageQuery) | [`Images`](crate::image::Images) |
//! | POST | [`JOBS`] | [`JobRequest`](crate::job::JobRequest) | 201 [`Submitted`](crate::progress::Submitted) |
//! | POST | [`JOBS_QUOTE`] | [`JobRequest`](crate::job::JobRequest) | [`QuoteView`](crate::quote::QuoteView) |
//! | GET | [`JOBS`] | [`JobsQuery`](crate::progress::JobsQuery) | [`Jobs`](crate::progress::Jobs) |
//! | GET | [`job`] | | [`JobDetail`](crate::progress::JobDetail) |
//! | DELETE | [`job`] | | 204; the job must have ended |
//! | POST | [`job_cancel`], [`job_retry`] | | [`JobSummary`](crate::progress::JobSummary) |
//! | GET | [`job_runs`] | [`RunsQuery`](crate::progress::RunsQuery) | [`Runs`](crate::progress::Runs) |
//! | GET | [`job_notes`] | [`NotesQuery`](crate::progress::NotesQuery) | [`Notes`](crate::progress::Notes) |
//! | GET | [`job_events`] | `Last-Event-ID` | server-sent [`JobEvent`](crate::event::JobEvent)s |
//! | GET | [`task_log`] | [`LogQuery`](crate::event::LogQuery) | the bytes as written, chunked |
//! | GET | [`receipt`] | | [`ReceiptView`](crate::receipt::ReceiptView) |
//! | GET | [`LEDGER`] | | [`LedgerView`](crate::ledger::LedgerView) |
//! | GET | [`LEDGER_BLOCKS`] | [`BlocksQuery`](crate::ledger::BlocksQuery) | [`Blocks`](crate::ledger::Blocks) |
//! | GET | [`LEDGER_PROOF`] | [`ProofQuery`](crate::ledger::ProofQuery) | the bytes of a self-contained proof |
//! | GET | [`LEDGER_CHECKPOINT`] | [`CheckpointQuery`](crate::checkpoint::CheckpointQuery) | [`CheckpointView`](crate::checkpoint::CheckpointView) |
//! | GET | [`LEDGER_EVENTS`] | | server-sent [`LedgerEvent`](crate::ledger::LedgerEvent)s |
//! | GET | [`WALLET`] | [`WalletQuery`](crate::wallet::WalletQuery) | [`Wallet`](crate::wallet::Wallet) |
//! | GET | [`WALLET_HISTORY`] | [`HistoryQuery`](crate::history::HistoryQuery) | [`History`](crate::history::History) |
//! | POST | [`WALLET_TRANSFER`] | [`TransferRequest`](crate::wallet::TransferRequest) | [`TransactionView`](crate::transaction::TransactionView) |
//! | POST | [`WALLET_STAKE`], [`WALLET_UNSTAKE`] | [`StakeRequest`](crate::wallet::StakeRequest) | [`TransactionView`](crate::transaction::TransactionView) |
//! | POST | [`WALLET_OWNER`] | [`OwnerRequest`](crate::wallet::OwnerRequest) | [`TransactionView`](crate::transaction::TransactionView) |
//! | GET, PUT | [`WALLET_AUTO_TRANSFERS`] | [`AutoTransfers`](crate::wallet::AutoTransfers) | [`AutoTransfers`](crate::wallet::AutoTransfers) |
//! | POST | [`TRANSACTIONS`] | [`SubmitRequest`](crate::transaction::SubmitRequest) | [`TransactionView`](crate::transaction::TransactionView) |
//! | GET | [`transaction`] | [`TransactionQuery`](crate::transaction::TransactionQuery) | [`TransactionView`](crate::transaction::TransactionView) |
//! | GET, POST | [`VALIDATORS`] | [`ValidatorRequest`](crate::validators::ValidatorRequest) | [`Validators`](crate::validators::Validators), [`TransactionView`](crate::transaction::TransactionView) |
//! | DELETE | [`validator`] | [`DryRunQuery`](crate::validators::DryRunQuery) | [`TransactionView`](crate::transaction::TransactionView) |
//! | GET | [`LOGS`] | [`FollowQuery`](crate::event::FollowQuery) | the node's own log, a line each |
//! | GET | [`METRICS`] | | measurements for Prometheus, as OpenMetrics |
//! | POST | [`SESSION_LINKS`] | | 201 [`LinkView`](crate::session::LinkView) |
//! | POST | [`SESSION`] | [`SessionRequest`](crate::session::SessionRequest) | 201 [`SessionView`](crate::session::SessionView), with its cookie |
//! | POST | [`SESSION_CHALLENGES`] | [`ChallengeRequest`](crate::session::ChallengeRequest) | 201 [`ChallengeView`](crate::session::ChallengeView) |
//! | POST | [`SESSION_WALLET`] | [`WalletSessionRequest`](crate::session::WalletSessionRequest) | 201 [`SessionView`](crate::session::SessionView), with its cookie |
//! | GET, DELETE | [`SESSION`] | | [`SessionView`](crate::session::SessionView), 204 |
//! | GET | [`SESSIONS`] | | [`OpenSessions`](crate::session::OpenSessions) |
//! | DELETE | [`SESSIONS`] | [`OpenSessionQuery`](crate::session::OpenSessionQuery) | [`OpenSessions`](crate::session::OpenSessions) |
//! | GET | [`KEYS`] | | [`Keys`](crate::key::Keys) |
//! | POST | [`KEYS`] | [`KeyRequest`](crate::key::KeyRequest) | 201 [`NewKey`](crate::key::NewKey) |
//! | GET, POST | [`WALLET_LOGINS`] | [`WalletLoginRequest`](crate::key::WalletLoginRequest) | [`WalletLogins`](crate::key::WalletLogins) |
//! | DELETE | [`WALLET_LOGINS`] | [`WalletLoginQuery`](crate::key::WalletLoginQuery) | [`WalletLogins`](crate::key::WalletLogins) |
//! | DELETE | [`KEYS`] | [`KeyQuery`](crate::key::KeyQuery) | [`Keys`](crate::key::Keys) |
//! | GET, POST | [`GRAPHQL`] | [`GraphqlQuery`](crate::graphql::GraphqlQuery), [`GraphqlRequest`](crate::graphql::GraphqlRequest) | [`GraphqlAnswer`](crate::graphql::GraphqlAnswer) |
//! | POST | [`STOP`] | | 202 |
//!
//! Every other path is the dashboard's, and needs nothing.
//!
//! Any answer of status 400 or more is an `application/problem+json` [`Problem`](crate::Problem).

use opensky_types::{Hash, JobId, NodeId, TaskId, service::ServiceRef};

/// The token file, below the data folder; mode 0600, made anew at each start.
pub const TOKEN_FILE: &str = "run/api.token";
/// The file, below the data folder, that says in its JSON field `api` where the API listens while
/// the node runs.
pub const NODE_FILE: &str = "run/node.json";
/// Content type of errors.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";
/// Largest JSON request, in bytes. Longer lists travel as blobs ([`crate::job::ListOf`]).
pub const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Header of requests that spend or start something: asked again with the same key, they do it once.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Most bytes of such a key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Header of an answer that was given before.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";

pub const OPENAPI: &str = "/v1/openapi.json";
pub const STATUS: &str = "/v1/status";
pub const NODE: &str = "/v1/node";
pub const PEERS: &str = "/v1/peers";
pub const OFFERS: &str = "/v1/offers";
pub const OFFERS_HISTORY: &str = "/v1/offers/history";
pub const CLUSTERS: &str = "/v1/clusters";
pub const LIMITS: &str = "/v1/limits";
pub const CONFIG: &str = "/v1/config";
pub const DOCTOR: &str = "/v1/doctor";
pub const INVITES: &str = "/v1/invites";
pub const MEMBERS: &str = "/v1/members";
pub const BLOBS: &str = "/v1/blobs";
pub const BLOB: &str = "/v1/blobs/{hash}";
pub const IMAGES: &str = "/v1/images";
pub const SERVICES: &str = "/v1/services";
pub const SERVICE: &str = "/v1/services/{service}";
pub const SERVICE_SCALE: &str = "/v1/services/{service}/scale";
pub const SERVICE_ROLLBACK: &str = "/v1/services/{service}/rollback";
pub const SERVICE_LOG: &str = "/v1/services/{service}/log";
pub const SERVICE_PORTS: &str = "/v1/services/{service}/ports";
pub const JOBS: &str = "/v1/jobs";
pub const JOBS_QUOTE: &str = "/v1/jobs/quote";
pub const JOB: &str = "/v1/jobs/{job}";
pub const JOB_CANCEL: &str = "/v1/jobs/{job}/cancel";
pub const JOB_RETRY: &str = "/v1/jobs/{job}/retry";
pub const JOB_RUNS: &str = "/v1/jobs/{job}/runs";
pub const JOB_NOTES: &str = "/v1/jobs/{job}/notes";
pub const JOB_EVENTS: &str = "/v1/jobs/{job}/events";
pub const TASK_LOG: &str = "/v1/jobs/{job}/tasks/{task}/log";
pub const RECEIPT: &str = "/v1/receipts/{id}";
pub const LEDGER: &str = "/v1/ledger";
pub const LEDGER_BLOCKS: &str = "/v1/ledger/blocks";
pub const LEDGER_PROOF: &str = "/v1/ledger/proof";
pub const LEDGER_CHECKPOINT: &str = "/v1/ledger/checkpoint";
pub const LEDGER_EVENTS: &str = "/v1/ledger/events";
pub const WALLET: &str = "/v1/wallet";
pub const WALLET_HISTORY: &str = "/v1/wallet/history";
pub const WALLET_TRANSFER: &str = "/v1/wallet/transfer";
pub const WALLET_STAKE: &str = "/v1/wallet/stake";
pub const WALLET_UNSTAKE: &str = "/v1/wallet/unstake";
pub const WALLET_OWNER: &str = "/v1/wallet/owner";
pub const WALLET_AUTO_TRANSFERS: &str = "/v1/wallet/auto-transfers";
pub const TRANSACTIONS: &str = "/v1/transactions";
pub const TRANSACTION: &str = "/v1/transactions/{id}";
pub const VALIDATORS: &str = "/v1/validators";
pub const VALIDATOR: &str = "/v1/validators/{node}";
pub const METRICS: &str = "/metrics";
pub const LOGS: &str = "/v1/logs";
pub const SESSION: &str = "/v1/session";
pub const SESSIONS: &str = "/v1/sessions";
pub const SESSION_LINKS: &str = "/v1/session/links";
pub const SESSION_CHALLENGES: &str = "/v1/session/challenges";
pub const SESSION_WALLET: &str = "/v1/session/wallet";
pub const KEYS: &str = "/v1/keys";
pub const WALLET_LOGINS: &str = "/v1/keys/wallets";
pub const GRAPHQL: &str = "/v1/graphql";
pub const STOP: &str = "/v1/stop";

/// Path of one blob.
pub fn blob(hash: Hash) -> String {
    format!("{BLOBS}/{hash}")
}

/// Path of one service.
pub fn service(service: &ServiceRef) -> String {
    format!("{SERVICES}/{service}")
}

/// Path that changes how many replicas run.
pub fn service_scale(service: &ServiceRef) -> String {
    format!("{SERVICES}/{service}/scale")
}

/// Path that declares the revision before anew.
pub fn service_rollback(service: &ServiceRef) -> String {
    format!("{SERVICES}/{service}/rollback")
}

/// Path of what replicas write.
pub fn service_log(service: &ServiceRef) -> String {
    format!("{SERVICES}/{service}/log")
}

/// Path of local addresses that lead to a service.
pub fn service_ports(service: &ServiceRef) -> String {
    format!("{SERVICES}/{service}/ports")
}

/// Path of one job.
pub fn job(job: JobId) -> String {
    format!("{JOBS}/{job}")
}

/// Path that cancels a job.
pub fn job_cancel(job: JobId) -> String {
    format!("{JOBS}/{job}/cancel")
}

/// Path that runs the failed tasks of a job again.
pub fn job_retry(job: JobId) -> String {
    format!("{JOBS}/{job}/retry")
}

/// Path of a job's runs.
pub fn job_runs(job: JobId) -> String {
    format!("{JOBS}/{job}/runs")
}

/// Path of a job's notes.
pub fn job_notes(job: JobId) -> String {
    format!("{JOBS}/{job}/notes")
}

/// Path of a job's events.
pub fn job_events(job: JobId) -> String {
    format!("{JOBS}/{job}/events")
}

/// Path of a task's log.
pub fn task_log(job: JobId, task: TaskId) -> String {
    format!("{JOBS}/{job}/tasks/{task}/log")
}

/// Path of one receipt.
pub fn receipt(id: Hash) -> String {
    format!("/v1/receipts/{id}")
}

/// Path of one transaction.
pub fn transaction(id: Hash) -> String {
    format!("{TRANSACTIONS}/{id}")
}

/// Path of one validator.
pub fn validator(node: NodeId) -> String {
    format!("{VALIDATORS}/{node}")
}
