"""The client: what a program calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import content as contents
from . import jobs
from .api import Api
from .connection import Connection
from .content import BYTES_MAX, Content
from .events import watch
from .program import ProgramOptions, ProgramResult, run_program
from .services import ServiceClient
from .streams import Leash, Stream
from .types import (
    BlobRef,
    ConstraintsView,
    ContentView,
    JobDetail,
    JobEvent,
    JobRequest,
    JobSummary,
    RunView,
    Status,
    StreamView,
    Submitted,
    TaskLimitsView,
    VerdictView,
    VerifyView,
)


class Client:
    """A node's local API. Nothing is sent before the first call; threads may share a client.

    `timeout` is how long each request may take, or until its stream begins, in seconds: 60 if absent, an hour for
    uploads. `within` limits a call as a whole.
    """

    def __init__(self, address: str, token: str) -> None:
        self._connection = Connection(address, token)
        #: Every route that takes and answers JSON, with its types.
        self.api = Api(self._connection)
        #: Programs that stay up.
        self.services = ServiceClient(self._connection)

    def __repr__(self) -> str:
        """The token stays out."""
        return f"Client({self.address!r})"

    @property
    def address(self) -> str:
        """The API's address."""
        return self._connection.address

    def request(
        self,
        method: str,
        route: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Any route that answers JSON or nothing; `route` as in the document. `api` has the same with types."""
        call = {"idempotency_key": idempotency_key, "timeout": timeout}
        return self._connection.ask(method.upper(), route, path=path, query=query, json=body, **call)

    def status(self, *, timeout: float | None = None) -> Status:
        """How the node is doing."""
        return self.api.status(timeout=timeout)

    def upload(self, content: Content, *, timeout: float | None = None) -> BlobRef:
        """Uploads content, which its hash names from then on. It stays while a job uses it."""
        return contents.upload(self._connection, content, timeout)

    def blob(self, hash: str, *, bytes_max: int = BYTES_MAX, timeout: float | None = None) -> bytes:
        """A blob in memory."""
        return contents.blob(self._connection, hash, bytes_max, timeout)

    def blob_pieces(self, hash: str, *, timeout: float | None = None) -> Stream[bytes]:
        """The bytes of a blob of any size, as they come."""
        leash = Leash()
        return Stream(contents.blob_pieces(self._connection, hash, leash, timeout), leash)

    def content(self, view: ContentView, *, bytes_max: int = BYTES_MAX, timeout: float | None = None) -> bytes:
        """What a run wrote, in memory: an output, or one of its files."""
        return contents.content(self._connection, view, bytes_max, timeout)

    def submit(self, job: JobRequest, *, idempotency_key: str | None = None, timeout: float | None = None) -> Submitted:
        """Submits a job whose content was uploaded before."""
        return jobs.submit(self._connection, job, idempotency_key, timeout)

    def job(self, job: str, *, timeout: float | None = None) -> JobDetail:
        """A job in full."""
        return jobs.detail(self._connection, job, timeout)

    def cancel(self, job: str, *, timeout: float | None = None) -> JobSummary:
        """Stops a job."""
        return self.api.cancel_job(job, timeout=timeout)

    def watch(self, job: str, *, timeout: float | None = None) -> Stream[JobEvent]:
        """What happens to a job from now until its end. Reconnects by itself."""
        leash = Leash()
        return Stream(watch(self._connection, job, leash, timeout), leash)

    def wait(self, job: str, *, within: float | None = None, timeout: float | None = None) -> JobDetail:
        """Waits for a job's end, however it ends."""
        return jobs.wait(self._connection, job, within, timeout)

    def runs(
        self,
        job: str,
        *,
        state: VerdictView | None = None,
        stage: int | None = None,
        task: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[RunView]:
        """Runs of a job, failed ones too, in the order they were judged."""
        return jobs.runs(self._connection, job, state=state, stage=stage, task=task, timeout=timeout)

    def results(
        self, job: str, *, stage: int | None = None, bytes_max: int = BYTES_MAX, timeout: float | None = None
    ) -> list[jobs.Result]:
        """The accepted results of a job's last stages, or of one stage, in order of task."""
        return jobs.results(self._connection, job, stage, bytes_max, timeout)

    def task_log(
        self,
        job: str,
        task: str,
        *,
        stream: StreamView | None = None,
        follow: bool = False,
        timeout: float | None = None,
    ) -> Stream[bytes]:
        """What a task writes; with `follow` until it ends."""
        leash = Leash()
        pieces = jobs.task_log(self._connection, job, task, leash, stream=stream, follow=follow, timeout=timeout)
        return Stream(pieces, leash)

    def run_program(
        self,
        wasm: Content,
        args: Sequence[str] = (),
        *,
        env: Mapping[str, str] | None = None,
        stdin: Content | None = None,
        name: str = "program",
        limits: TaskLimitsView | None = None,
        constraints: ConstraintsView | None = None,
        verify: VerifyView | None = None,
        wait_ms: int | None = None,
        budget_micros: int | None = None,
        idempotency_key: str | None = None,
        within: float | None = None,
        timeout: float | None = None,
    ) -> ProgramResult:
        """Runs a WASI program somewhere on the sky, as if it ran here."""
        options = ProgramOptions(args, env, stdin, name, limits, constraints, verify, wait_ms, budget_micros)
        return run_program(self._connection, wasm, options, idempotency_key, within, timeout)
