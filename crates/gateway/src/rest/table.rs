//! The table of routes, each with the least role that may use it. What is not here is not served, and not
//! described.

use super::{
    blobs, description, events, images, jobs, keys, ledger, ledger_events, logs, metrics, node, runs,
    services, session, sky, transactions, validators, wallet,
};
use crate::{
    auth::{Needs, OPERATOR, OWNER, VIEWER},
    graphql,
    route::{Table, about},
};
use opensky_api::{
    Code,
    checkpoint::{CheckpointQuery, CheckpointView},
    config::ConfigView,
    content::BlobRef,
    doctor::DoctorReport,
    event::{AfterQuery, FollowQuery, JobEvent, LogQuery},
    graphql::{GraphqlAnswer, GraphqlQuery, GraphqlRequest},
    history::{History, HistoryQuery},
    image::{ImageQuery, Images, KeepImageRequest},
    job::JobRequest,
    key::{KeyQuery, KeyRequest, Keys, NewKey, WalletLoginQuery, WalletLoginRequest, WalletLogins},
    ledger::{Blocks, BlocksQuery, LedgerEvent, LedgerView, PROOF_CONTENT_TYPE, ProofQuery},
    limits::{Limits, LimitsView},
    membership::{InviteRequest, InviteView, Invites, Members},
    network::Peers,
    offer::{Clusters, Offers, PriceHistory},
    progress::{JobDetail, JobSummary, Jobs, JobsQuery, Notes, NotesQuery, Runs, RunsQuery, Submitted},
    quote::QuoteView,
    receipt::ReceiptView,
    routes,
    service::{
        ClosePortQuery, DeclareQuery, OpenPortRequest, OpenPortView, ScaleRequest, ServiceLogQuery,
        ServiceRequest, ServiceView, Services,
    },
    session::{
        ChallengeRequest, ChallengeView, LinkView, OpenSessionQuery, OpenSessions, SessionRequest,
        SessionView, WalletSessionRequest,
    },
    status::{NodeView, RenameRequest, Status},
    transaction::{SubmitRequest, TransactionQuery, TransactionView},
    validators::{DryRunQuery, ValidatorRequest, Validators},
    wallet::{AutoTransfers, OwnerRequest, StakeRequest, TransferRequest, Wallet, WalletQuery},
};

const BYTES: &str = "application/octet-stream";
/// How events come over a WebSocket.
const OF_EVENTS: &str = "texts `{\"id\": …, \"event\": …}`; the last `id` is what `after` takes later.";
/// How bytes come over a WebSocket.
const OF_BYTES: &str = "a text `{\"from\": N}` with the place where the bytes begin, then these; N and the count \
                        of bytes that came is what `after` takes later.";
/// What an action on the ledger may run into.
const OF_TRANSACTIONS: &[Code] =
    &[Code::TransactionRejected, Code::NotApproved, Code::Busy, Code::SpendLimit];

/// All routes.
pub(crate) fn table() -> Table {
    of_graphql(plain())
}

/// All routes that GraphQL may ask.
pub(crate) fn plain() -> Table {
    [
        of_node,
        of_sky,
        of_content,
        of_services,
        of_jobs,
        of_runs,
        of_ledger,
        of_wallet,
        of_transactions,
        of_sessions,
    ]
    .into_iter()
    .fold(Table::default(), |table, add| add(table))
}

fn of_node(table: Table) -> Table {
    table
        .get(routes::OPENAPI, Needs::Nothing, description::show, {
            about("openapi", "This document.").answers_bytes("application/json", "OpenAPI 3.1.")
        })
        .get(routes::STATUS, VIEWER, node::status, {
            about("status", "How the node is doing, in one screen.").answers::<Status>()
        })
        .get(
            routes::NODE,
            VIEWER,
            node::node,
            about("node", "The node and its machine.").answers::<NodeView>(),
        )
        .put(routes::NODE, OWNER, node::rename, {
            about("rename", "Gives the node another name, now and for later starts.")
                .takes::<RenameRequest>()
                .answers::<NodeView>()
        })
        .get(routes::LIMITS, VIEWER, node::limits, {
            about("limits", "What the owner lets the sky use, and what it comes to now.")
                .answers::<LimitsView>()
        })
        .put(routes::LIMITS, OWNER, node::set_limits, {
            about("setLimits", "Sets all limits, now and for later starts.")
                .takes::<Limits>()
                .answers::<LimitsView>()
        })
        .get(routes::CONFIG, VIEWER, node::config, {
            about("config", "The effective configuration, and where each value came from.")
                .answers::<ConfigView>()
        })
        .get(routes::DOCTOR, VIEWER, node::doctor, {
            about("doctor", "Looks the machine over; takes a second.").answers::<DoctorReport>()
        })
        .get(routes::LOGS, VIEWER, logs::node_log, {
            about("nodeLog", "The node's own log.")
                .query::<FollowQuery>()
                .answers_bytes("text/plain", "A line each; with `follow`, new ones as they are written.")
                .upgrades(OF_BYTES)
        })
        .get(routes::METRICS, VIEWER, metrics::show, {
            about("metrics", "Measurements for Prometheus.")
                .answers_bytes("application/openmetrics-text", "A line for each sample.")
        })
        .post(routes::STOP, OWNER, node::stop, {
            about("stop", "Stops the node: work of others is ended, own jobs go on at the next start.")
                .answers_nothing(202, "The node is stopping.")
        })
}

fn of_sky(table: Table) -> Table {
    table
        .get(routes::PEERS, VIEWER, sky::peers, about("peers", "Connected members.").answers::<Peers>())
        .get(routes::OFFERS, VIEWER, sky::offers, {
            about("offers", "Live offers that this node knows.").answers::<Offers>()
        })
        .get(routes::OFFERS_HISTORY, VIEWER, sky::price_history, {
            about("priceHistory", "Prices of offers since this node started, for a day at most.")
                .answers::<PriceHistory>()
        })
        .get(routes::CLUSTERS, VIEWER, sky::clusters, {
            about("clusters", "Clusters that live offers form.").answers::<Clusters>()
        })
        .get(routes::INVITES, OWNER, sky::invites, {
            about("invites", "Invites of this node and who joined with them.").answers::<Invites>()
        })
        .post(routes::INVITES, OWNER, sky::invite, {
            about("invite", "Makes an invite.").takes::<InviteRequest>().answers::<InviteView>()
        })
        .get(routes::MEMBERS, VIEWER, sky::members, {
            about("members", "Members that this node knows.").answers::<Members>()
        })
}

fn of_content(table: Table) -> Table {
    table
        .post(routes::BLOBS, OPERATOR, blobs::upload, {
            about("upload", "Keeps content until a job that names it is removed.")
                .takes_bytes("The content, of any length, streamed to disk.")
                .creates::<BlobRef>()
                .fails(&[Code::StorageFull])
        })
        .get(routes::BLOB, VIEWER, blobs::download, {
            about("blob", "Content by its hash.")
                .answers_bytes(BYTES, "The content, with `Content-Length`.")
                .fails(&[Code::BlobNotFound])
        })
        .get(
            routes::IMAGES,
            VIEWER,
            images::list,
            about("images", "Images kept by name.").answers::<Images>(),
        )
        .post(routes::IMAGES, OPERATOR, images::keep, {
            about("keepImage", "Keeps an image whose archive was uploaded before.")
                .takes::<KeepImageRequest>()
                .answers::<Images>()
                .fails(&[Code::BlobNotFound, Code::StorageFull])
        })
        .delete(routes::IMAGES, OPERATOR, images::remove, {
            about("removeImage", "Keeps an image no longer; jobs that use it are not affected.")
                .query::<ImageQuery>()
                .answers::<Images>()
                .fails(&[Code::ImageNotFound])
        })
}

fn of_services(table: Table) -> Table {
    table
        .get(routes::SERVICES, VIEWER, services::list, {
            about("services", "Services that the node owns, keeps or has heard of.").answers::<Services>()
        })
        .post(routes::SERVICES, OPERATOR, services::declare, {
            about(
                "declareService",
                "Declares a service, or its next revision; on disk before the answer comes.",
            )
            .query::<DeclareQuery>()
            .takes::<ServiceRequest>()
            .creates::<ServiceView>()
            .once()
            .fails(&[
                Code::InvalidService,
                Code::BlobNotFound,
                Code::WrongState,
                Code::Busy,
                Code::StorageFull,
            ])
        })
        .get(routes::SERVICE, VIEWER, services::show, {
            about("service", "A service in full.").answers::<ServiceView>().fails(&[Code::ServiceNotFound])
        })
        .delete(routes::SERVICE, OPERATOR, services::remove, {
            about("removeService", "Ends a service of this node everywhere.")
                .answers_nothing(204, "Its replicas are ending.")
                .fails(&[Code::ServiceNotFound])
        })
        .post(routes::SERVICE_SCALE, OPERATOR, services::scale, {
            about("scaleService", "Changes how many replicas run.")
                .takes::<ScaleRequest>()
                .answers::<ServiceView>()
                .once()
                .fails(&[Code::ServiceNotFound, Code::InvalidService, Code::WrongState, Code::StorageFull])
        })
        .post(routes::SERVICE_ROLLBACK, OPERATOR, services::roll_back, {
            about("rollBackService", "Declares the revision before anew.")
                .answers::<ServiceView>()
                .once()
                .fails(&[Code::ServiceNotFound, Code::WrongState, Code::StorageFull])
        })
        .get(routes::SERVICE_LOG, VIEWER, services::log, {
            about("serviceLog", "What replicas write; for owners and keepers.")
                .query::<ServiceLogQuery>()
                .answers_bytes(services::JSON_LINES, "A `ServiceLogPart` in each line.")
                .upgrades("a text for each `ServiceLogPart`, without a cursor.")
                .fails(&[Code::ServiceNotFound])
        })
        .post(routes::SERVICE_PORTS, OPERATOR, services::open_port, {
            about("openServicePort", "Leads a local address to a port of a service, over restarts too.")
                .takes::<OpenPortRequest>()
                .creates::<OpenPortView>()
                .once()
                .fails(&[Code::ServiceNotFound, Code::WrongState, Code::Busy])
        })
        .delete(routes::SERVICE_PORTS, OPERATOR, services::close_port, {
            about("closeServicePort", "Leads a local address nowhere any more.")
                .query::<ClosePortQuery>()
                .answers_nothing(204, "Nothing listens there any more.")
                .fails(&[Code::ServiceNotFound])
        })
}

fn of_jobs(table: Table) -> Table {
    table
        .get(routes::JOBS, VIEWER, jobs::list, {
            about("jobs", "Jobs, newest first.").query::<JobsQuery>().answers::<Jobs>()
        })
        .post(routes::JOBS, OPERATOR, jobs::submit, {
            about("submit", "Takes a job; it is on disk before the answer comes, if it is `durable`.")
                .takes::<JobRequest>()
                .creates::<Submitted>()
                .fails(&[
                    Code::InvalidJob,
                    Code::BlobNotFound,
                    Code::Busy,
                    Code::StorageFull,
                    Code::SpendLimit,
                ])
                .once()
        })
        .post(routes::JOBS_QUOTE, VIEWER, jobs::quote, {
            about("quote", "What a job would cost and who could run it; starts nothing.")
                .takes::<JobRequest>()
                .answers::<QuoteView>()
                .fails(&[Code::InvalidJob, Code::BlobNotFound])
        })
        .get(routes::JOB, VIEWER, jobs::detail, about("job", "A job in full.").answers::<JobDetail>())
        .delete(routes::JOB, OPERATOR, jobs::remove, {
            about("removeJob", "Forgets a job that has ended, and frees its content.")
                .answers_nothing(204, "It is forgotten.")
                .fails(&[Code::WrongState])
        })
        .post(routes::JOB_CANCEL, OPERATOR, jobs::cancel, {
            about("cancelJob", "Stops a job.").answers::<JobSummary>().fails(&[Code::WrongState])
        })
        .post(routes::JOB_RETRY, OPERATOR, jobs::retry, {
            about("retryJob", "Runs what failed or was cancelled again.")
                .answers::<JobSummary>()
                .fails(&[
                    Code::WrongState,
                    Code::BlobNotFound,
                    Code::Busy,
                    Code::StorageFull,
                    Code::SpendLimit,
                ])
                .once()
        })
}

fn of_runs(table: Table) -> Table {
    table
        .get(routes::JOB_RUNS, VIEWER, runs::runs, {
            about("runs", "Runs of a job, in the order they were judged.")
                .query::<RunsQuery>()
                .answers::<Runs>()
        })
        .get(routes::JOB_NOTES, VIEWER, runs::notes, {
            about("notes", "Why things happened to a job, oldest first.")
                .query::<NotesQuery>()
                .answers::<Notes>()
        })
        .get(routes::JOB_EVENTS, VIEWER, events::events, {
            about("jobEvents", "What happens to a job, as it happens.")
                .query::<AfterQuery>()
                .header("last-event-id", "The `id` of the last event that came: the stream goes on after it.")
                .streams::<JobEvent>("Starts with where the job stands; ends after a final `job`.")
                .upgrades(OF_EVENTS)
        })
        .get(routes::TASK_LOG, VIEWER, logs::task_log, {
            about("taskLog", "One output of one task, as it was written.")
                .query::<LogQuery>()
                .answers_bytes(BYTES, "The bytes; of a task that runs, with `follow`, as they come.")
                .upgrades(OF_BYTES)
                .fails(&[Code::TaskNotFound, Code::BlobNotFound])
        })
        .get(routes::RECEIPT, VIEWER, runs::receipt, {
            about("receipt", "A receipt with its proof.")
                .answers::<ReceiptView>()
                .fails(&[Code::ReceiptNotFound])
        })
}

fn of_ledger(table: Table) -> Table {
    table
        .get(routes::LEDGER, VIEWER, ledger::info, {
            about("ledger", "The ledger in one screen.").answers::<LedgerView>()
        })
        .get(routes::LEDGER_BLOCKS, VIEWER, ledger::blocks, {
            about("blocks", "Final blocks in a row.").query::<BlocksQuery>().answers::<Blocks>()
        })
        .get(routes::LEDGER_PROOF, VIEWER, ledger::proof, {
            about("proof", "A proof of one entry of the ledger, or of its absence.")
                .query::<ProofQuery>()
                .answers_bytes(PROOF_CONTENT_TYPE, "What `opensky ledger verify` takes.")
                .fails(&[Code::LedgerNotReady])
        })
        .get(routes::LEDGER_CHECKPOINT, VIEWER, ledger::checkpoint, {
            about("checkpoint", "A checkpoint in the form that a contract takes.")
                .query::<CheckpointQuery>()
                .answers::<CheckpointView>()
                .fails(&[Code::CheckpointNotFound, Code::LedgerNotReady])
        })
        .get(routes::LEDGER_EVENTS, VIEWER, ledger_events::events, {
            about("ledgerEvents", "Blocks, as they become final.")
                .query::<AfterQuery>()
                .header("last-event-id", "The `id` of the last event that came: the height of a block.")
                .streams::<LedgerEvent>(
                    "Starts with `head`, if that is news; goes on until its reader leaves.",
                )
                .upgrades(OF_EVENTS)
        })
        .get(routes::VALIDATORS, VIEWER, validators::list, {
            about("validators", "Who votes, and who may from the next epoch on.").answers::<Validators>()
        })
        .post(routes::VALIDATORS, OWNER, validators::add, {
            about("addValidator", "Names a validator, from the next epoch on.")
                .takes::<ValidatorRequest>()
                .answers::<TransactionView>()
                .fails(OF_TRANSACTIONS)
                .once()
        })
        .delete(routes::VALIDATOR, OWNER, validators::remove, {
            about("removeValidator", "Names a validator no longer, from the next epoch on.")
                .query::<DryRunQuery>()
                .answers::<TransactionView>()
                .fails(OF_TRANSACTIONS)
        })
}

fn of_wallet(table: Table) -> Table {
    table
        .get(routes::WALLET, VIEWER, wallet::wallet, {
            about("wallet", "An account's money, with that of the accounts it owns.")
                .query::<WalletQuery>()
                .answers::<Wallet>()
                .fails(&[Code::AccountNotFound, Code::LedgerNotReady])
        })
        .get(routes::WALLET_HISTORY, VIEWER, wallet::history, {
            about("history", "An account's history, newest first.")
                .query::<HistoryQuery>()
                .answers::<History>()
                .fails(&[Code::LedgerNotReady])
        })
        .get(routes::WALLET_AUTO_TRANSFERS, VIEWER, wallet::auto_transfers, {
            about("autoTransfers", "Transfers that happen by themselves.").answers::<AutoTransfers>()
        })
        .put(routes::WALLET_AUTO_TRANSFERS, OWNER, wallet::set_auto_transfers, {
            about("setAutoTransfers", "Sets all automatic transfers.")
                .takes::<AutoTransfers>()
                .answers::<AutoTransfers>()
                .fails(&[Code::SpendLimit])
        })
}

fn of_transactions(table: Table) -> Table {
    table
        .post(routes::WALLET_TRANSFER, OWNER, transactions::transfer, {
            about("transfer", "Pays out of this node's account.")
                .takes::<TransferRequest>()
                .answers::<TransactionView>()
                .fails(OF_TRANSACTIONS)
                .once()
        })
        .post(routes::WALLET_STAKE, OWNER, transactions::stake, {
            about("stake", "Puts money at stake.")
                .takes::<StakeRequest>()
                .answers::<TransactionView>()
                .fails(OF_TRANSACTIONS)
                .once()
        })
        .post(routes::WALLET_UNSTAKE, OWNER, transactions::unstake, {
            about("unstake", "Starts taking money out of stake.")
                .takes::<StakeRequest>()
                .answers::<TransactionView>()
                .fails(OF_TRANSACTIONS)
                .once()
        })
        .post(routes::WALLET_OWNER, OWNER, transactions::owner, {
            about("setOwner", "Names the owner of this node's account.")
                .takes::<OwnerRequest>()
                .answers::<TransactionView>()
                .fails(OF_TRANSACTIONS)
                .once()
        })
        .post(routes::TRANSACTIONS, OWNER, transactions::submit, {
            about("submitTransaction", "Hands in a transaction that was signed elsewhere.")
                .takes::<SubmitRequest>()
                .answers::<TransactionView>()
                .fails(OF_TRANSACTIONS)
                .once()
        })
        .get(routes::TRANSACTION, VIEWER, transactions::find, {
            about("transaction", "Where a transaction is.")
                .query::<TransactionQuery>()
                .answers::<TransactionView>()
                .fails(&[Code::LedgerNotReady])
        })
}

fn of_graphql(table: Table) -> Table {
    table
        .get(routes::GRAPHQL, VIEWER, graphql::get, {
            about("graphqlQuery", "A query of GraphQL as a link; its schema is docs/schema.graphql.")
                .query::<GraphqlQuery>()
                .answers::<GraphqlAnswer>()
                .upgrades("the protocol `graphql-transport-ws`, for subscriptions too.")
        })
        .post(routes::GRAPHQL, VIEWER, graphql::post, {
            about("graphql", "A query or mutation of GraphQL; each field needs what its route needs.")
                .takes::<GraphqlRequest>()
                .header(routes::IDEMPOTENCY_KEY, "For what it spends or starts, as on the routes themselves.")
                .answers::<GraphqlAnswer>()
        })
}

fn of_sessions(table: Table) -> Table {
    table
        .post(routes::SESSION_LINKS, OWNER, session::link, {
            about("loginLink", "A link that opens one browser session, once; only for the token.")
                .creates::<LinkView>()
        })
        .post(routes::SESSION, Needs::Nothing, session::open, {
            about(
                "openSession",
                "Opens a session for a link's code, or for an API key; its secret comes as a cookie.",
            )
            .takes::<SessionRequest>()
            .creates::<SessionView>()
        })
        .post(routes::SESSION_CHALLENGES, Needs::Nothing, session::challenge, {
            about("walletChallenge", "A message that a wallet signs to log in, once, within five minutes.")
                .takes::<ChallengeRequest>()
                .creates::<ChallengeView>()
        })
        .post(routes::SESSION_WALLET, Needs::Nothing, session::open_wallet, {
            about("openWalletSession", "Opens a session for a signed message (EIP-4361), as a cookie.")
                .takes::<WalletSessionRequest>()
                .creates::<SessionView>()
        })
        .get(routes::WALLET_LOGINS, OWNER, keys::list_wallets, {
            about("walletLogins", "Wallets that may log in.").answers::<WalletLogins>()
        })
        .post(routes::WALLET_LOGINS, OWNER, keys::add_wallet, {
            about("addWalletLogin", "Names a wallet that may log in, or gives it another role.")
                .takes::<WalletLoginRequest>()
                .answers::<WalletLogins>()
                .fails(&[Code::SpendLimit])
        })
        .delete(routes::WALLET_LOGINS, OWNER, keys::remove_wallet, {
            about("removeWalletLogin", "Lets a wallet log in no longer, and ends its sessions.")
                .query::<WalletLoginQuery>()
                .answers::<WalletLogins>()
                .fails(&[Code::KeyNotFound])
        })
        .get(routes::SESSION, VIEWER, session::show, {
            about("session", "What the caller may do, whether it has a session, and until when.")
                .answers::<SessionView>()
        })
        .get(routes::SESSIONS, OWNER, session::list, {
            about("sessions", "Open sessions of browsers.").answers::<OpenSessions>()
        })
        .delete(routes::SESSIONS, OWNER, session::end, {
            about("endSession", "Ends a session of a browser.")
                .query::<OpenSessionQuery>()
                .answers::<OpenSessions>()
                .fails(&[Code::SessionNotFound])
        })
        .get(routes::KEYS, OWNER, keys::list, about("keys", "The API keys.").answers::<Keys>())
        .post(routes::KEYS, OWNER, keys::create, {
            about("createKey", "Makes an API key; its secret is shown this once.")
                .takes::<KeyRequest>()
                .creates::<NewKey>()
                .fails(&[Code::SpendLimit])
        })
        .delete(routes::KEYS, OWNER, keys::revoke, {
            about("revokeKey", "Makes an API key work no longer.")
                .query::<KeyQuery>()
                .answers::<Keys>()
                .fails(&[Code::KeyNotFound])
        })
        .delete(routes::SESSION, VIEWER, session::close, {
            about("closeSession", "Ends the caller's session.").answers_nothing(204, "It has ended.")
        })
}
