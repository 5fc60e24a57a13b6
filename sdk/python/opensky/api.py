# Made from docs/openapi.json by `python3 generate.py`; changes go to crates/api.
"""Every route of the local API that takes and answers JSON or nothing, as a method with its types."""

from __future__ import annotations

from typing import Any

from . import types
from .connection import Connection


class Api:
    """The routes. `timeout` is how long the call may take, in seconds; 60 if absent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def clusters(self, *, timeout: float | None = None) -> types.Clusters:
        """Clusters that live offers form."""
        answer: types.Clusters = self._connection.ask("GET", "/v1/clusters", timeout=timeout)
        return answer

    def config(self, *, timeout: float | None = None) -> types.ConfigView:
        """The effective configuration, and where each value came from."""
        answer: types.ConfigView = self._connection.ask("GET", "/v1/config", timeout=timeout)
        return answer

    def doctor(self, *, timeout: float | None = None) -> types.DoctorReport:
        """Looks the machine over; takes a second."""
        answer: types.DoctorReport = self._connection.ask("GET", "/v1/doctor", timeout=timeout)
        return answer

    def graphql_query(self, *, query: str | None = None, operationName: str | None = None, variables: str | None = None, extensions: str | None = None, timeout: float | None = None) -> types.GraphqlAnswer:
        """A query of GraphQL as a link; its schema is docs/schema.graphql."""
        answer: types.GraphqlAnswer = self._connection.ask("GET", "/v1/graphql", query={"query": query, "operationName": operationName, "variables": variables, "extensions": extensions}, timeout=timeout)
        return answer

    def graphql(self, body: types.GraphqlRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.GraphqlAnswer:
        """A query or mutation of GraphQL; each field needs what its route needs."""
        answer: types.GraphqlAnswer = self._connection.ask("POST", "/v1/graphql", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def images(self, *, timeout: float | None = None) -> types.Images:
        """Images kept by name."""
        answer: types.Images = self._connection.ask("GET", "/v1/images", timeout=timeout)
        return answer

    def keep_image(self, body: types.KeepImageRequest, *, timeout: float | None = None) -> types.Images:
        """Keeps an image whose archive was uploaded before."""
        answer: types.Images = self._connection.ask("POST", "/v1/images", json=body, timeout=timeout)
        return answer

    def remove_image(self, *, name: str, timeout: float | None = None) -> types.Images:
        """Keeps an image no longer; jobs that use it are not affected."""
        answer: types.Images = self._connection.ask("DELETE", "/v1/images", query={"name": name}, timeout=timeout)
        return answer

    def invites(self, *, timeout: float | None = None) -> types.Invites:
        """Invites of this node and who joined with them."""
        answer: types.Invites = self._connection.ask("GET", "/v1/invites", timeout=timeout)
        return answer

    def invite(self, body: types.InviteRequest, *, timeout: float | None = None) -> types.InviteView:
        """Makes an invite."""
        answer: types.InviteView = self._connection.ask("POST", "/v1/invites", json=body, timeout=timeout)
        return answer

    def jobs(self, *, before: int | None = None, limit: int | None = None, timeout: float | None = None) -> types.Jobs:
        """Jobs, newest first."""
        answer: types.Jobs = self._connection.ask("GET", "/v1/jobs", query={"before": before, "limit": limit}, timeout=timeout)
        return answer

    def submit(self, body: types.JobRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.Submitted:
        """Takes a job; it is on disk before the answer comes, if it is `durable`."""
        answer: types.Submitted = self._connection.ask("POST", "/v1/jobs", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def quote(self, body: types.JobRequest, *, timeout: float | None = None) -> types.QuoteView:
        """What a job would cost and who could run it; starts nothing."""
        answer: types.QuoteView = self._connection.ask("POST", "/v1/jobs/quote", json=body, timeout=timeout)
        return answer

    def job(self, job: str, *, timeout: float | None = None) -> types.JobDetail:
        """A job in full."""
        answer: types.JobDetail = self._connection.ask("GET", "/v1/jobs/{job}", path={"job": job}, timeout=timeout)
        return answer

    def remove_job(self, job: str, *, timeout: float | None = None) -> None:
        """Forgets a job that has ended, and frees its content."""
        self._connection.ask("DELETE", "/v1/jobs/{job}", path={"job": job}, timeout=timeout)

    def cancel_job(self, job: str, *, timeout: float | None = None) -> types.JobSummary:
        """Stops a job."""
        answer: types.JobSummary = self._connection.ask("POST", "/v1/jobs/{job}/cancel", path={"job": job}, timeout=timeout)
        return answer

    def notes(self, job: str, *, task: types.TaskId | None = None, timeout: float | None = None) -> types.Notes:
        """Why things happened to a job, oldest first."""
        answer: types.Notes = self._connection.ask("GET", "/v1/jobs/{job}/notes", path={"job": job}, query={"task": task}, timeout=timeout)
        return answer

    def retry_job(self, job: str, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.JobSummary:
        """Runs what failed or was cancelled again."""
        answer: types.JobSummary = self._connection.ask("POST", "/v1/jobs/{job}/retry", path={"job": job}, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def runs(self, job: str, *, after: str | None = None, limit: int | None = None, state: types.VerdictView | None = None, task: types.TaskId | None = None, stage: int | None = None, timeout: float | None = None) -> types.Runs:
        """Runs of a job, in the order they were judged."""
        answer: types.Runs = self._connection.ask("GET", "/v1/jobs/{job}/runs", path={"job": job}, query={"after": after, "limit": limit, "state": state, "task": task, "stage": stage}, timeout=timeout)
        return answer

    def keys(self, *, timeout: float | None = None) -> types.Keys:
        """The API keys."""
        answer: types.Keys = self._connection.ask("GET", "/v1/keys", timeout=timeout)
        return answer

    def create_key(self, body: types.KeyRequest, *, timeout: float | None = None) -> types.NewKey:
        """Makes an API key; its secret is shown this once."""
        answer: types.NewKey = self._connection.ask("POST", "/v1/keys", json=body, timeout=timeout)
        return answer

    def revoke_key(self, *, name: str, timeout: float | None = None) -> types.Keys:
        """Makes an API key work no longer."""
        answer: types.Keys = self._connection.ask("DELETE", "/v1/keys", query={"name": name}, timeout=timeout)
        return answer

    def wallet_logins(self, *, timeout: float | None = None) -> types.WalletLogins:
        """Wallets that may log in."""
        answer: types.WalletLogins = self._connection.ask("GET", "/v1/keys/wallets", timeout=timeout)
        return answer

    def add_wallet_login(self, body: types.WalletLoginRequest, *, timeout: float | None = None) -> types.WalletLogins:
        """Names a wallet that may log in, or gives it another role."""
        answer: types.WalletLogins = self._connection.ask("POST", "/v1/keys/wallets", json=body, timeout=timeout)
        return answer

    def remove_wallet_login(self, *, address: str, timeout: float | None = None) -> types.WalletLogins:
        """Lets a wallet log in no longer, and ends its sessions."""
        answer: types.WalletLogins = self._connection.ask("DELETE", "/v1/keys/wallets", query={"address": address}, timeout=timeout)
        return answer

    def ledger(self, *, timeout: float | None = None) -> types.LedgerView:
        """The ledger in one screen."""
        answer: types.LedgerView = self._connection.ask("GET", "/v1/ledger", timeout=timeout)
        return answer

    def blocks(self, *, from_: int | None = None, timeout: float | None = None) -> types.Blocks:
        """Final blocks in a row."""
        answer: types.Blocks = self._connection.ask("GET", "/v1/ledger/blocks", query={"from": from_}, timeout=timeout)
        return answer

    def checkpoint(self, *, epoch: int | None = None, timeout: float | None = None) -> types.CheckpointView:
        """A checkpoint in the form that a contract takes."""
        answer: types.CheckpointView = self._connection.ask("GET", "/v1/ledger/checkpoint", query={"epoch": epoch}, timeout=timeout)
        return answer

    def limits(self, *, timeout: float | None = None) -> types.LimitsView:
        """What the owner lets the sky use, and what it comes to now."""
        answer: types.LimitsView = self._connection.ask("GET", "/v1/limits", timeout=timeout)
        return answer

    def set_limits(self, body: types.Limits, *, timeout: float | None = None) -> types.LimitsView:
        """Sets all limits, now and for later starts."""
        answer: types.LimitsView = self._connection.ask("PUT", "/v1/limits", json=body, timeout=timeout)
        return answer

    def members(self, *, timeout: float | None = None) -> types.Members:
        """Members that this node knows."""
        answer: types.Members = self._connection.ask("GET", "/v1/members", timeout=timeout)
        return answer

    def node(self, *, timeout: float | None = None) -> types.NodeView:
        """The node and its machine."""
        answer: types.NodeView = self._connection.ask("GET", "/v1/node", timeout=timeout)
        return answer

    def rename(self, body: types.RenameRequest, *, timeout: float | None = None) -> types.NodeView:
        """Gives the node another name, now and for later starts."""
        answer: types.NodeView = self._connection.ask("PUT", "/v1/node", json=body, timeout=timeout)
        return answer

    def offers(self, *, timeout: float | None = None) -> types.Offers:
        """Live offers that this node knows."""
        answer: types.Offers = self._connection.ask("GET", "/v1/offers", timeout=timeout)
        return answer

    def price_history(self, *, timeout: float | None = None) -> types.PriceHistory:
        """Prices of offers since this node started, for a day at most."""
        answer: types.PriceHistory = self._connection.ask("GET", "/v1/offers/history", timeout=timeout)
        return answer

    def openapi(self, *, timeout: float | None = None) -> Any:
        """This document."""
        answer: Any = self._connection.ask("GET", "/v1/openapi.json", timeout=timeout)
        return answer

    def peers(self, *, timeout: float | None = None) -> types.Peers:
        """Connected members."""
        answer: types.Peers = self._connection.ask("GET", "/v1/peers", timeout=timeout)
        return answer

    def receipt(self, id: str, *, timeout: float | None = None) -> types.ReceiptView:
        """A receipt with its proof."""
        answer: types.ReceiptView = self._connection.ask("GET", "/v1/receipts/{id}", path={"id": id}, timeout=timeout)
        return answer

    def services(self, *, timeout: float | None = None) -> types.Services:
        """Services that the node owns, keeps or has heard of."""
        answer: types.Services = self._connection.ask("GET", "/v1/services", timeout=timeout)
        return answer

    def declare_service(self, body: types.ServiceRequest, *, after: int | None = None, idempotency_key: str | None = None, timeout: float | None = None) -> types.ServiceView:
        """Declares a service, or its next revision; on disk before the answer comes."""
        answer: types.ServiceView = self._connection.ask("POST", "/v1/services", json=body, query={"after": after}, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def service(self, service: str, *, timeout: float | None = None) -> types.ServiceView:
        """A service in full."""
        answer: types.ServiceView = self._connection.ask("GET", "/v1/services/{service}", path={"service": service}, timeout=timeout)
        return answer

    def remove_service(self, service: str, *, timeout: float | None = None) -> None:
        """Ends a service of this node everywhere."""
        self._connection.ask("DELETE", "/v1/services/{service}", path={"service": service}, timeout=timeout)

    def open_service_port(self, service: str, body: types.OpenPortRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.OpenPortView:
        """Leads a local address to a port of a service, over restarts too."""
        answer: types.OpenPortView = self._connection.ask("POST", "/v1/services/{service}/ports", path={"service": service}, json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def close_service_port(self, service: str, *, listen: str, timeout: float | None = None) -> None:
        """Leads a local address nowhere any more."""
        self._connection.ask("DELETE", "/v1/services/{service}/ports", path={"service": service}, query={"listen": listen}, timeout=timeout)

    def roll_back_service(self, service: str, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.ServiceView:
        """Declares the revision before anew."""
        answer: types.ServiceView = self._connection.ask("POST", "/v1/services/{service}/rollback", path={"service": service}, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def scale_service(self, service: str, body: types.ScaleRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.ServiceView:
        """Changes how many replicas run."""
        answer: types.ServiceView = self._connection.ask("POST", "/v1/services/{service}/scale", path={"service": service}, json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def session(self, *, timeout: float | None = None) -> types.SessionView:
        """What the caller may do, whether it has a session, and until when."""
        answer: types.SessionView = self._connection.ask("GET", "/v1/session", timeout=timeout)
        return answer

    def open_session(self, body: types.SessionRequest, *, timeout: float | None = None) -> types.SessionView:
        """Opens a session for a link's code, or for an API key; its secret comes as a cookie."""
        answer: types.SessionView = self._connection.ask("POST", "/v1/session", json=body, timeout=timeout)
        return answer

    def close_session(self, *, timeout: float | None = None) -> None:
        """Ends the caller's session."""
        self._connection.ask("DELETE", "/v1/session", timeout=timeout)

    def wallet_challenge(self, body: types.ChallengeRequest, *, timeout: float | None = None) -> types.ChallengeView:
        """A message that a wallet signs to log in, once, within five minutes."""
        answer: types.ChallengeView = self._connection.ask("POST", "/v1/session/challenges", json=body, timeout=timeout)
        return answer

    def login_link(self, *, timeout: float | None = None) -> types.LinkView:
        """A link that opens one browser session, once; only for the token."""
        answer: types.LinkView = self._connection.ask("POST", "/v1/session/links", timeout=timeout)
        return answer

    def open_wallet_session(self, body: types.WalletSessionRequest, *, timeout: float | None = None) -> types.SessionView:
        """Opens a session for a signed message (EIP-4361), as a cookie."""
        answer: types.SessionView = self._connection.ask("POST", "/v1/session/wallet", json=body, timeout=timeout)
        return answer

    def sessions(self, *, timeout: float | None = None) -> types.OpenSessions:
        """Open sessions of browsers."""
        answer: types.OpenSessions = self._connection.ask("GET", "/v1/sessions", timeout=timeout)
        return answer

    def end_session(self, *, id: str, timeout: float | None = None) -> types.OpenSessions:
        """Ends a session of a browser."""
        answer: types.OpenSessions = self._connection.ask("DELETE", "/v1/sessions", query={"id": id}, timeout=timeout)
        return answer

    def status(self, *, timeout: float | None = None) -> types.Status:
        """How the node is doing, in one screen."""
        answer: types.Status = self._connection.ask("GET", "/v1/status", timeout=timeout)
        return answer

    def stop(self, *, timeout: float | None = None) -> None:
        """Stops the node: work of others is ended, own jobs go on at the next start."""
        self._connection.ask("POST", "/v1/stop", timeout=timeout)

    def submit_transaction(self, body: types.SubmitRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.TransactionView:
        """Hands in a transaction that was signed elsewhere."""
        answer: types.TransactionView = self._connection.ask("POST", "/v1/transactions", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def transaction(self, id: str, *, wait_ms: int | None = None, timeout: float | None = None) -> types.TransactionView:
        """Where a transaction is."""
        answer: types.TransactionView = self._connection.ask("GET", "/v1/transactions/{id}", path={"id": id}, query={"wait_ms": wait_ms}, timeout=timeout)
        return answer

    def validators(self, *, timeout: float | None = None) -> types.Validators:
        """Who votes, and who may from the next epoch on."""
        answer: types.Validators = self._connection.ask("GET", "/v1/validators", timeout=timeout)
        return answer

    def add_validator(self, body: types.ValidatorRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.TransactionView:
        """Names a validator, from the next epoch on."""
        answer: types.TransactionView = self._connection.ask("POST", "/v1/validators", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def remove_validator(self, node: str, *, dry_run: bool | None = None, timeout: float | None = None) -> types.TransactionView:
        """Names a validator no longer, from the next epoch on."""
        answer: types.TransactionView = self._connection.ask("DELETE", "/v1/validators/{node}", path={"node": node}, query={"dry_run": dry_run}, timeout=timeout)
        return answer

    def wallet(self, *, account: types.Payee | None = None, timeout: float | None = None) -> types.Wallet:
        """An account's money, with that of the accounts it owns."""
        answer: types.Wallet = self._connection.ask("GET", "/v1/wallet", query={"account": account}, timeout=timeout)
        return answer

    def auto_transfers(self, *, timeout: float | None = None) -> types.AutoTransfers:
        """Transfers that happen by themselves."""
        answer: types.AutoTransfers = self._connection.ask("GET", "/v1/wallet/auto-transfers", timeout=timeout)
        return answer

    def set_auto_transfers(self, body: types.AutoTransfers, *, timeout: float | None = None) -> types.AutoTransfers:
        """Sets all automatic transfers."""
        answer: types.AutoTransfers = self._connection.ask("PUT", "/v1/wallet/auto-transfers", json=body, timeout=timeout)
        return answer

    def history(self, *, account: types.Payee | None = None, before: types.Place | None = None, limit: int | None = None, timeout: float | None = None) -> types.History:
        """An account's history, newest first."""
        answer: types.History = self._connection.ask("GET", "/v1/wallet/history", query={"account": account, "before": before, "limit": limit}, timeout=timeout)
        return answer

    def set_owner(self, body: types.OwnerRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.TransactionView:
        """Names the owner of this node's account."""
        answer: types.TransactionView = self._connection.ask("POST", "/v1/wallet/owner", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def stake(self, body: types.StakeRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.TransactionView:
        """Puts money at stake."""
        answer: types.TransactionView = self._connection.ask("POST", "/v1/wallet/stake", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def transfer(self, body: types.TransferRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.TransactionView:
        """Pays out of this node's account."""
        answer: types.TransactionView = self._connection.ask("POST", "/v1/wallet/transfer", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer

    def unstake(self, body: types.StakeRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> types.TransactionView:
        """Starts taking money out of stake."""
        answer: types.TransactionView = self._connection.ask("POST", "/v1/wallet/unstake", json=body, idempotency_key=idempotency_key, timeout=timeout)
        return answer
